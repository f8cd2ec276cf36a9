"""The composition root of mien-face: one thread reads the bus and makes motion, this one draws."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import zmq

from mien.config import Config
from mien.core.clock import Clock
from mien.core.stats import Counters
from mien.core.timeline import Timeline
from mien.errors import DisplayError, FaceError
from mien.face.display import DisplayWait
from mien.face.draw_loop import PART as DRAWING
from mien.face.draw_loop import DrawLoop
from mien.face.heartbeat import Heartbeat
from mien.face.motion_stage import KEEP_S, MotionStage, Score
from mien.face.motion_thread import MotionThread
from mien.face.opening import load_engines, open_renderer
from mien.face.screen.brightness import ScreenMode
from mien.face.trace import Trace
from mien.host.notify import ServiceNotifier
from mien.render.base import Renderer
from mien.transport.bus import FaceBus

log = logging.getLogger("mien.face")


class FaceService:
    """Everything that mien-face is. trace: keeps what was shown. opener: the tests hand in one that can fail."""

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
        info = engine.info
        self._score = Score(Timeline(width=55, frame_hz=info.frame_hz, capacity=KEEP_S * info.frame_hz))
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        bus = FaceBus(context, run_dir, self._counters)
        self._stage = MotionStage(
            engine=engine,
            spare=spare,
            score=self._score,
            counters=self._counters,
            report=bus.report,
            stirred=self._stirred,
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
            score=self._score,
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
        """Show the face until stop(). Waits for a display that is not there yet, or no longer.

        Raises FaceError when the motion thread ended by itself. Whatever else is unexpected passes.
        """
        try:
            self._show()
        finally:
            self._stopping.set()
            self._notifier.stopping()
            self._motion.stop()
        if (failure := self._motion.failure) is not None:
            raise FaceError(f"the motion thread ended: {type(failure).__name__}: {failure}") from failure
        log.info("stopped")

    def stop(self) -> None:
        """Ask the loop to end; safe in a signal handler."""
        self._stopping.set()
        self._wake.set()

    def somebody_is_here(self) -> None:
        """Wake the screen, as speech does: for a sensor of presence. From any thread."""
        self._stirred(True)

    def _stirred(self, somebody: bool) -> None:
        if somebody:
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
