"""The drawing loop rests while nothing moves, and messages wake it."""

import threading
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Literal, cast

import pytest

from mien.config import Config
from mien.core.clock import ManualClock
from mien.core.degradation import Level
from mien.core.stats import Counters
from mien.face import draw_loop
from mien.face.draw_loop import DrawLoop
from mien.face.screen import ScreenMode
from mien.face.state import FaceState
from mien.render.base import Input, Key, Pointer
from mien.units import NS_PER_MS

PERIOD_NS = 20 * NS_PER_MS


class Wake(threading.Event):
    """An event that sets itself after a while, on the manual clock."""

    def __init__(self, clock: ManualClock, after_ms: float | None) -> None:
        super().__init__()
        self._clock, self._after_ms = clock, after_ms

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        wait_ms = 1000 * timeout
        if self._after_ms is not None and self._after_ms <= wait_ms:
            self.set()
            wait_ms = self._after_ms
        self._clock.advance_ms(wait_ms)
        return self.is_set()


def rested_ms(monkeypatch: pytest.MonkeyPatch, *, rest_ms: float, woken_after_ms: float | None) -> float:
    """The duration of a rest that begins 2 ms after the step."""
    clock = ManualClock(10**9)
    monkeypatch.setattr(draw_loop, "sleep_until_ns", lambda at_ns: clock.advance_ns(max(0, at_ns - clock.now_ns())))
    loop = DrawLoop(config=Config(), clock=clock, state=FaceState(frame_hz=50, capacity=50),
                    stage=None, counters=Counters(), notifier=None, heartbeat=None,  # type: ignore[arg-type]
                    stopping=threading.Event(), wake=Wake(clock, woken_after_ms), report=lambda _: None,
                    trace=None, screen=ScreenMode(Config().screen, datetime.now, 0))  # fmt: skip
    begun_ns = clock.now_ns()
    clock.advance_ms(2)
    loop._rest(begun_ns, begun_ns + int(rest_ms * NS_PER_MS), PERIOD_NS)
    return (clock.now_ns() - begun_ns) / NS_PER_MS


def test_it_rests_until_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rested_ms(monkeypatch, rest_ms=83, woken_after_ms=None) == pytest.approx(83)


def test_at_the_full_rate_it_does_not_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    assert rested_ms(monkeypatch, rest_ms=0, woken_after_ms=None) == 2


@pytest.mark.parametrize(("after_ms", "until_ms"), [(0, 20), (5, 20), (18, 20), (30, 32), (70, 72)])
def test_something_that_comes_ends_the_rest_but_never_looks_faster_than_the_display(
    monkeypatch: pytest.MonkeyPatch, after_ms: float, until_ms: float
) -> None:
    assert rested_ms(monkeypatch, rest_ms=83, woken_after_ms=after_ms) == pytest.approx(until_ms)


class Inputs:
    """A renderer that has nothing but inputs."""

    def __init__(self, *inputs: Input) -> None:
        self._inputs = list(inputs)

    def take_inputs(self) -> list[Input]:
        taken, self._inputs = self._inputs, []
        return taken


def pointer(phase: Literal["down", "move", "up"]) -> Pointer:
    return Pointer(phase, 0.5, 0.5, "touch")


@pytest.mark.parametrize(
    ("inputs", "woken"),
    [
        ([pointer("down")], True),
        ([pointer("move")], False),
        ([pointer("up")], False),
        ([pointer("up"), pointer("down"), pointer("move")], True),
        ([Key("1")], True),
        ([pointer("up"), Key("other")], True),
    ],
)
def test_a_finger_that_comes_down_or_a_key_wakes_the_screen(inputs: list[Input], woken: bool) -> None:
    taken: list[object] = []
    present: list[int] = []
    screen = SimpleNamespace(switched_off=False, present=present.append)
    buttons = SimpleNamespace(take=lambda done, _: taken.append(done))
    loop: Any = SimpleNamespace(_screen=screen, _clock=ManualClock(5))
    annotations: Any = SimpleNamespace(buttons=buttons)
    assert DrawLoop._read_inputs(loop, cast("Any", Inputs(*inputs)), annotations)
    assert (taken, present) == (inputs, [5] if woken else [])
    assert not DrawLoop._read_inputs(loop, cast("Any", Inputs()), annotations)
    screen.switched_off = True
    assert not DrawLoop._read_inputs(loop, cast("Any", Inputs(*inputs)), annotations)
    assert taken == inputs


@pytest.mark.parametrize(("backend", "level"), [("envelope", Level.ENVELOPE), ("tflite", Level.FULL)])
def test_the_level_is_that_of_the_engine(backend: str, level: Level) -> None:
    loop: Any = SimpleNamespace(_stage=SimpleNamespace(backend=backend))
    assert cast("Any", DrawLoop._level).fget(loop) is level
