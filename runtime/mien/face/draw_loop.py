"""The drawing loop: runs on the thread that opened the renderer until the display is lost or the service stops."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Final

from mien.config import Config
from mien.core import bus
from mien.core.clock import Clock
from mien.core.degradation import Level
from mien.core.pacer import DisplayPacer
from mien.core.stats import Counters
from mien.face.director import Director
from mien.face.health import FaceReporter, Heartbeat
from mien.face.memory_trim import MemoryTrim
from mien.face.motion_stage import MotionStage
from mien.face.opening import open_calibration
from mien.face.overlay.annotations import Annotations
from mien.face.presenter import Presenter
from mien.face.screen import ScreenMode
from mien.face.state import FaceState
from mien.face.trace import Trace
from mien.host.clock import sleep_until_ns
from mien.host.notify import ServiceNotifier
from mien.render.base import Key, Renderer
from mien.units import NS_PER_MS, NS_PER_S

PART: Final = "drawing"
TOUCH_STEP_NS: Final = 15 * NS_PER_MS  # while there are buttons: how often fingers are read between frames
DARK_STEP_NS: Final = NS_PER_S // 2  # while dark: how often window events and the display's power are served


class DrawLoop:
    """Draws the face on a renderer, reports health once a second. report: sends a bus frame to the voice."""

    def __init__(
        self,
        *,
        config: Config,
        clock: Clock,
        state: FaceState,
        stage: MotionStage,
        counters: Counters,
        notifier: ServiceNotifier,
        heartbeat: Heartbeat,
        stopping: threading.Event,
        wake: threading.Event,
        report: Callable[[bytes], None],
        trace: Trace | None,
        screen: ScreenMode,
    ) -> None:
        """wake: set when a message changes what is shown, or the service stops."""
        self._config = config
        self._clock = clock
        self._state = state
        self._stage = stage
        self._counters = counters
        self._notifier = notifier
        self._heartbeat = heartbeat
        self._stopping = stopping
        self._wake = wake
        self._report = report
        self._trace = trace
        self._screen = screen
        self._report_due_ns = 0
        self._shown: bus.Screen = "on"

    def run(self, renderer: Renderer) -> None:
        """Draw on this renderer until the service stops. Raises DisplayError when the display is lost."""
        annotations = Annotations(
            self._config,
            renderer,
            self._state.cues,
            self._counters,
            lambda message: self._report(bus.encode(message)),
        )
        annotations.start()
        try:
            self._show(renderer, annotations)
        finally:
            annotations.stop()

    def _show(self, renderer: Renderer, annotations: Annotations) -> None:
        info = renderer.info
        pacer = DisplayPacer(info.refresh_ns or NS_PER_S // self._config.face.fps, depth=info.flip_depth)
        presenter = self._presenter(renderer, pacer, annotations)
        reporter = FaceReporter(state=self._state, pacer=pacer, counters=self._counters, renderer=renderer)
        trim = MemoryTrim(self._counters)
        while not self._stopping.is_set() and not renderer.close_requested:
            self._wake.clear()
            begun_ns = self._clock.now_ns()
            self._read_inputs(renderer, annotations)
            until_ns = self._step(begun_ns, presenter, renderer)
            now_ns = self._clock.now_ns()
            if now_ns >= self._report_due_ns:
                self._report_due_ns = now_ns + NS_PER_S
                self._send_report(reporter, presenter, annotations, trim.step(speaking=self._state.speaking), now_ns)
            self._heartbeat.advance(PART)
            self._heartbeat.feed()
            if not renderer.info.vsync:
                sleep_until_ns(now_ns + pacer.wait_ns(now_ns))
            read = partial(self._read_inputs, renderer, annotations) if annotations.buttons.live else None
            self._rest(begun_ns, until_ns, round(pacer.period_ns), read)

    def _step(self, now_ns: int, presenter: Presenter, renderer: Renderer) -> int:
        """Draw a frame, or keep the screen dark. Returns the latest time for the next call."""
        self._screen.order, self._screen.attended = self._state.screen, self._state.attended
        if self._state.speaking or self._state.customer_speaks:
            self._screen.present(now_ns)
        if self._screen.step(now_ns) == "dark" and not self._screen.level:
            self._shown = "off" if renderer.blank() else "blank"
            self._state.thumbnails.ask(0)  # a black thumbnail would be of no use
            presenter.slept()
            return now_ns + DARK_STEP_NS
        self._shown = "on" if self._screen.bright else "dim"
        presenter.brightness = self._screen.level
        presenter.step()
        return presenter.next_step_ns

    def _rest(self, begun_ns: int, until_ns: int, period_ns: int, read: Callable[[], bool] | None = None) -> None:
        """Sleep until the next step; when woken early, only until one frame after the last step.

        read: called often; the sleep also ends when it says so.
        """
        while (left_ns := until_ns - self._clock.now_ns()) > 0:
            slice_ns = left_ns if read is None else min(left_ns, TOUCH_STEP_NS)
            if self._wake.wait(slice_ns / NS_PER_S):
                if not self._stopping.is_set():
                    sleep_until_ns(min(begun_ns + period_ns, until_ns))
                return
            if read is None or read():
                return

    def _read_inputs(self, renderer: Renderer, annotations: Annotations) -> bool:
        """Take what fingers, mouse and keys did. Returns whether they did anything.

        A screen that an operator has switched off shows no buttons: nothing is chosen on it.
        """
        inputs = renderer.take_inputs()
        if not inputs or self._screen.switched_off:
            return False
        now_ns = self._clock.now_ns()
        for done in inputs:
            annotations.buttons.take(done, now_ns)
        if any(isinstance(done, Key) or done.phase == "down" for done in inputs):
            self._screen.present(now_ns)
        return True

    def _presenter(self, renderer: Renderer, pacer: DisplayPacer, annotations: Annotations) -> Presenter:
        face = self._config.face
        return Presenter(
            state=self._state,
            director=Director(seed=face.seed),
            renderer=renderer,
            pacer=pacer,
            clock=self._clock,
            display_latency_ms=face.display_latency_ms,
            counters=self._counters,
            trace=self._trace,
            idle_fps=face.idle_fps,
            calibration=open_calibration(self._config, renderer),
            annotations=annotations,
        )

    def _send_report(
        self,
        reporter: FaceReporter,
        presenter: Presenter,
        annotations: Annotations,
        memory_mb: float | None,
        now_ns: int,
    ) -> None:
        level = Level.AUDIO_ONLY if presenter.motion_lost else self._level
        health = reporter.report(presenter, level.value, memory_mb, now_ns, self._shown, self._screen.level)
        self._notifier.ready()
        offset = "no speech yet" if health.offset_median_ms is None else f"A/V offset {health.offset_median_ms} ms"
        screen = "" if self._shown == "on" else f", screen {self._shown}"
        self._notifier.status(f"{health.level}, {health.fps:.0f} fps, {offset}{screen}")
        self._report(bus.encode(health))
        annotations.show_health(health)

    @property
    def _level(self) -> Level:
        return Level.ENVELOPE if self._stage.backend == "envelope" else Level.FULL
