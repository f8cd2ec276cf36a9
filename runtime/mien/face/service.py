"""The composition root of mien-face: the motion thread reads the bus, the main thread draws."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import zmq

from mien.config import Config
from mien.core.clock import Clock
from mien.core.stats import Counters
from mien.errors import DisplayError, FaceError
from mien.face.display import DisplayWait
from mien.face.draw_loop import PART as DRAWING
from mien.face.draw_loop import DrawLoop
from mien.face.health import Heartbeat
from mien.face.motion_stage import MotionStage
from mien.face.motion_thread import MotionThread
from mien.face.opening import load_engines, open_renderer
from mien.face.screen import ScreenMode
from mien.face.state import FaceState
from mien.face.trace import Trace
from mien.host.notify import ServiceNotifier
from mien.render.base import Renderer
from mien.transport.bus import FaceBus

log = logging.getLogger("mien.face")


class FaceService:
    """Owns the threads, the display and the bus. trace: records what was shown. opener: replaced in tests."""

    def __init__(
        self,
        config: Config,
        run_dir: Path,
        clock: Clock,
        *,
        trace: Trace | None = None,
        opener: Callable[[Config, Clock], Renderer] = open_renderer,
    ) -> None:
        self._counters = Counters()
        self._clock = clock
        self._screen = ScreenMode(config.screen, datetime.now, clock.now_ns())
        self._notifier = ServiceNotifier(clock)
        self._heartbeat = Heartbeat(self._notifier.watchdog)
        self._heartbeat.watch(DRAWING)
        self._stopping, self._wake = threading.Event(), threading.Event()
        self._display = DisplayWait(
            lambda: opener(config, clock), self._notifier, self._stopping, self._counters, self._alive
        )
        engine, spare = load_engines(config.face.model)
        self._state = FaceState(frame_hz=engine.info.frame_hz, counters=self._counters)
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        bus = FaceBus(context, run_dir, self._counters)
        self._stage = MotionStage(
            engine=engine,
            spare=spare,
            state=self._state,
            counters=self._counters,
            report=bus.report,
            on_change=self._on_change,
        )
        self._motion = MotionThread(
            stage=self._stage,
            bus_of_face=bus,
            context=context,
            clock=clock,
            counters=self._counters,
            heartbeat=self._heartbeat,
            ended=self.stop,
        )
        self._loop = DrawLoop(
            config=config,
            clock=clock,
            state=self._state,
            stage=self._stage,
            counters=self._counters,
            notifier=self._notifier,
            heartbeat=self._heartbeat,
            stopping=self._stopping,
            wake=self._wake,
            report=self._motion.report,
            trace=trace,
            screen=self._screen,
        )

    def run(self) -> None:
        """Show the face until stop(). Waits for a display that is absent at start or is lost later.

        Raises FaceError when the motion thread fails. Other unexpected exceptions propagate.
        """
        try:
            self._show()
        finally:
            self._stopping.set()
            self._notifier.stopping()
            self._motion.stop()
        if (failure := self._motion.failure) is not None:
            raise FaceError(f"the motion thread failed: {type(failure).__name__}: {failure}") from failure
        log.info("stopped")

    def stop(self) -> None:
        """Ask the loop to stop. Safe in a signal handler."""
        self._stopping.set()
        self._wake.set()

    def report_presence(self) -> None:
        """Wake the screen, as speech does; for presence sensors. Callable from any thread."""
        self._on_change(True)

    def _on_change(self, presence: bool) -> None:
        if presence:
            self._screen.present(self._clock.now_ns())
        self._wake.set()

    def _show(self) -> None:
        while (renderer := self._display.open()) is not None:
            log.info("drawing with %s %s", renderer.info.version, renderer.info.device)
            self._motion.start()
            try:
                self._loop.run(renderer)
            except DisplayError as error:
                self._display.lost(error)
            else:
                return
            finally:
                renderer.close()

    def _alive(self) -> None:
        self._heartbeat.advance(DRAWING)
        self._heartbeat.feed()
