"""How long a touch takes until its button is drawn inverted, with the real drawing loop at rest.

The renderer draws no pixels: what a screen adds is its frame, see `mien bench board`.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from mien.config import Config
from mien.core import bus
from mien.core.stats import Counters
from mien.face.draw_loop import DrawLoop
from mien.face.health import Heartbeat
from mien.face.motion_stage import MotionStage
from mien.face.overlay.button_grid import ButtonGrid
from mien.face.screen import ScreenMode
from mien.face.state import FaceState
from mien.host.clock import MonotonicClock
from mien.host.notify import ServiceNotifier
from mien.render.base import Pointer
from mien.render.headless import HeadlessOverlay, HeadlessRenderer
from mien.units import NS_PER_MS

WARM_S = 1.5
BUTTONS = (("a", "Opening hours"), ("b", "Talk to a person"))
INVERTED = 200  # ink of an inverted button's plate


class TimedOverlay(HeadlessOverlay):
    """Notes when an inverted image was loaded."""

    inverted_ns = 0

    def load(self, layer: int, image: NDArray[np.uint8]) -> None:
        """Load, and look at the plate."""
        super().load(layer, image)
        if layer >= 4 and image[image.shape[0] // 2, 3, 0] > INVERTED:
            self.inverted_ns = time.monotonic_ns()


class TimedRenderer(HeadlessRenderer):
    """Its overlay is timed."""

    def __init__(self) -> None:
        super().__init__(720, 1280, MonotonicClock(), max_records=1)
        self.timed = self.overlay = TimedOverlay(720, 1280)

    def open_overlay(self, sizes: Sequence[tuple[int, int]]) -> TimedOverlay:
        """The timed overlay."""
        return self.timed


class _Stage:
    backend = "tflite"


def touch_latencies_ms(touches: int, seed: int = 1) -> list[float]:
    """From each touch, at a random time, until the button's inverted image is given to the renderer."""
    with drawing_loop() as renderer:
        return [_touch(renderer, random.Random(f"{seed} {number}")) for number in range(touches)]


@contextmanager
def drawing_loop(report: Callable[[bytes], None] = lambda _: None) -> Iterator[TimedRenderer]:
    """The loop at rest, with BUTTONS shown. report: what it tells the voice."""
    config, clock, renderer = Config(), MonotonicClock(), TimedRenderer()
    state = FaceState(frame_hz=50, capacity=50)
    stopping, wake = threading.Event(), threading.Event()
    notifier = ServiceNotifier(clock)
    loop = DrawLoop(
        config=config,
        clock=clock,
        state=state,
        stage=cast("MotionStage", _Stage()),
        counters=Counters(),
        notifier=notifier,
        heartbeat=Heartbeat(notifier.watchdog),
        stopping=stopping,
        wake=wake,
        report=report,
        trace=None,
        screen=ScreenMode(config.screen, datetime.now, clock.now_ns()),
    )
    now_ns = clock.now_ns()
    state.take_anchor(bus.Anchor(epoch=1, media_ns=0, at_ns=now_ns, until_ns=now_ns, phase="idle"))
    state.voice_alive(now_ns + 3600 * 10**9)
    state.set_choices(bus.Choices(epoch=1, number=1, items=BUTTONS, again=True))
    thread = threading.Thread(target=loop.run, args=(renderer,), name="drawing")
    thread.start()
    try:
        time.sleep(WARM_S)
        yield renderer
    finally:
        stopping.set()
        wake.set()
        thread.join()


def press(renderer: TimedRenderer, button: int, phase: Literal["down", "up"]) -> int:
    """A finger comes down on a button of BUTTONS, or leaves it. Returns when."""
    grid = ButtonGrid(720, 1280, diagonal_inches=Config().screen.diagonal_inches)
    x, y = grid.boxes([1] * len(BUTTONS))[button].middle
    now_ns = time.monotonic_ns()
    renderer.inputs.append(Pointer(phase, x / 720, y / 1280, "touch"))
    return now_ns


def _touch(renderer: TimedRenderer, source: random.Random) -> float:
    time.sleep(source.uniform(0.5, 0.7))
    button = source.randrange(len(BUTTONS))
    touched_ns = press(renderer, button, "down")
    while renderer.timed.inverted_ns < touched_ns:
        time.sleep(0.0005)
        if time.monotonic_ns() - touched_ns > 2 * 10**9:
            break
    seen_ns = renderer.timed.inverted_ns
    press(renderer, button, "up")
    return max(0.0, (seen_ns - touched_ns) / NS_PER_MS) if seen_ns >= touched_ns else 2000.0
