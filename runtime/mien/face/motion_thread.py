"""The motion thread: reads the bus, runs the motion stage. It alone uses the bus's sockets."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

import zmq

from mien.core.clock import Clock
from mien.core.log_limit import LogLimit
from mien.core.stats import Counters
from mien.errors import BusError
from mien.face.health import Heartbeat
from mien.face.motion_stage import MotionStage
from mien.transport.bus import FaceBus

log = logging.getLogger("mien.face")

PART: Final = "motion"
BUS_POLL_MS: Final = 100
HURRIED_POLL_MS: Final = 10  # while there are buttons or watchers: a choice, a pose leaves this process so soon
AHEAD_NS: Final = 250_000_000  # of finished motion, beyond which the thread paces itself
AHEAD_PAUSE_MS: Final = 4  # one 20 ms block every 4 ms is still five times real time
MAX_REPORTS: Final = 8  # queued for this thread; the oldest is dropped
MAX_AT_ONCE: Final = 200  # messages read before the next work(): a flood must not starve motion
JOIN_S: Final = 5.0


class MotionThread:
    """Runs from start() until stop().

    If an unexpected exception ends it, the traceback is logged, `failure` holds the exception, and ended() is called.
    """

    def __init__(
        self,
        *,
        stage: MotionStage,
        bus_of_face: FaceBus,
        context: "zmq.Context[zmq.Socket[bytes]]",
        clock: Clock,
        counters: Counters,
        heartbeat: Heartbeat,
        ended: Callable[[], None],
    ) -> None:
        """context: of the bus's sockets; stop() terminates it."""
        self._stage = stage
        self._bus = bus_of_face
        self._context = context
        self._clock = clock
        self._counters = counters
        self._heartbeat = heartbeat
        self._ended = ended
        self._stopping = threading.Event()
        self._reports: deque[bytes] = deque()
        self._refusals = LogLimit()
        self._thread = threading.Thread(target=self._run, name="motion", daemon=True)
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Start the thread; later calls do nothing."""
        if self._thread.ident is None:
            self._heartbeat.watch(PART)
            self._thread.start()

    def stop(self) -> None:
        """Stop the thread and close the bus. If the thread hangs, its sockets stay open until the process exits."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(JOIN_S)
        if self._thread.is_alive():
            log.error("the motion thread did not stop within %g s", JOIN_S)
            return
        self._bus.close()
        self._context.term()

    def report(self, frame: bytes) -> None:
        """Queue a report to the voice; drops and counts the oldest when the queue is full. Callable from any thread."""
        if len(self._reports) >= MAX_REPORTS:
            self._counters.count("reports_dropped")
            self._reports.popleft()
        self._reports.append(frame)

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._turn()
                self._heartbeat.advance(PART)
        except BaseException as error:
            self.failure = error
            log.critical("the motion thread failed; mien-face stops", exc_info=True)
        finally:
            self._ended()

    def _turn(self) -> None:
        frames, left = self._bus.receive(self._patience_ms()), MAX_AT_ONCE
        while frames is not None:
            self._take(frames)
            left -= 1
            frames = self._bus.receive(0) if left else None
        while self._reports:
            self._bus.report(self._reports.popleft())
        self._stage.send_poses(self._clock.now_ns())
        self._stage.work()

    def _patience_ms(self) -> int:
        """How long to wait for the bus: with enough motion ready, this leaves the CPU to drawing."""
        if not self._stage.backlog:
            return HURRIED_POLL_MS if self._stage.hurried else BUS_POLL_MS
        return AHEAD_PAUSE_MS if self._stage.buffered_ns > AHEAD_NS else 0

    def _take(self, frames: list[bytes]) -> None:
        try:
            self._stage.take(frames, self._clock.now_ns())
        except BusError as error:
            self._counters.count("bus_refused")
            if (line := self._refusals.line(str(error), self._clock.now_ns())) is not None:
                log.error("%s", line)
