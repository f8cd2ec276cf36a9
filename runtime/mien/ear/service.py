"""The composition root of mien-ear.

It owns the sockets, the connection to systemd, and the loop around the engine. One thread, which sleeps
about 10 ms at a time.
"""

import logging
from pathlib import Path
from typing import Final

import zmq

from mien.config import Config
from mien.core.clock import Clock
from mien.core.log_limit import LogLimit
from mien.core.stats import Counters
from mien.ear.captures import Opener, open_capture
from mien.ear.engine import Engine, Tap
from mien.ear.pipeline import Pipeline
from mien.errors import BusError
from mien.host.clock import sleep_until_ns
from mien.host.memory import MemoryGauge, release_unused_pages
from mien.host.notify import ServiceNotifier
from mien.transport.ear_bus import EarBus
from mien.units import NS_PER_S

log = logging.getLogger("mien.ear")

MESSAGES: Final = 200  # of the voice at a step: two seconds of far end, so that a flood cannot starve the microphone


class EarService:
    """opener, pipeline: replaced in tests. tap: is shown every block (`mien ear record`)."""

    def __init__(
        self,
        config: Config,
        run_dir: Path,
        clock: Clock,
        *,
        opener: Opener = open_capture,
        pipeline: Pipeline | None = None,
        tap: Tap | None = None,
    ) -> None:
        """Raises EarError without what the configuration needs, BusError when a socket cannot be bound."""
        self._clock = clock
        self.counters = Counters()
        self._notifier = ServiceNotifier(clock)
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._bus = EarBus(self._context, run_dir, self.counters)
        self._refusals = LogLimit()
        self._status_ns = 0
        self._stopping = False
        try:
            self._engine = Engine(
                config.ear,
                clock=clock,
                counters=self.counters,
                report=self._bus.report,
                publish=self._bus.publish,
                memory_mb=MemoryGauge(clock, self.counters).mb,
                opener=opener,
                pipeline=pipeline,
                tap=tap,
            )
        except BaseException:
            self._close_bus()
            raise

    def run(self) -> None:
        """Listen until stop(). Waits for a microphone that is absent at start or is lost later."""
        try:
            self._engine.step()
            release_unused_pages()
            self._notifier.ready()
            log.info("ready")
            while not self._stopping:
                sleep_until_ns(self._engine.next_step_ns())
                self.step()
        finally:
            self._notifier.stopping()
            self._engine.close()
            self._close_bus()
        log.info("stopped")

    def stop(self) -> None:
        """End the loop within 20 ms. Safe in a signal handler."""
        self._stopping = True

    def step(self) -> None:
        """One pass of the loop: the voice's messages first, because the microphone hears them."""
        for _ in range(MESSAGES):
            if (frames := self._bus.receive()) is None:
                break
            self._take(frames)
        self._engine.step()
        self._notifier.watchdog()
        now_ns = self._clock.now_ns()
        if now_ns >= self._status_ns:
            self._status_ns = now_ns + NS_PER_S
            self._notifier.status(self._engine.status)

    def _take(self, frames: list[bytes]) -> None:
        try:
            self._engine.take(frames)
        except BusError as error:
            self.counters.count("bus_refused")
            if (line := self._refusals.line(str(error), self._clock.now_ns())) is not None:
                log.error("%s", line)

    def _close_bus(self) -> None:
        self._bus.close()
        self._context.term()
