"""The composition root of mien-voice.

It owns the sockets, the connection to systemd, and the loop around the engine.

One thread serves clients, bus and sound card in short steps that never block, so nothing needs a lock.
"""

import logging
from pathlib import Path
from typing import Final

from mien.config import Config
from mien.core.clock import Clock
from mien.core.stats import Counters
from mien.host.memory import MemoryGauge, release_unused_pages
from mien.host.notify import ServiceNotifier
from mien.transport import VOICE_SOCKET
from mien.transport.access import plan_access
from mien.transport.bus import EAR_ENDS, VoiceBus
from mien.transport.key_check import KeyCheck
from mien.transport.keys import KeyFolder
from mien.transport.router import ClientRouter
from mien.transport.zmtp.reactor import Reactor
from mien.units import NS_PER_MS, NS_PER_S
from mien.voice.engine import Engine
from mien.voice.roles import allowed_roles
from mien.voice.session_log_writer import SessionLogWriter, session_log_folder
from mien.voice.sinks import Opener, open_sink

log = logging.getLogger("mien.voice")

MAX_WAIT_MS: Final = 100
MAX_RECEIVE_NS: Final = 3 * NS_PER_MS  # a flood of messages must not delay the device
MAX_HEAR_NS: Final = NS_PER_MS  # nor may a flood of the ear's reports
CHORES_NS: Final = 250 * NS_PER_MS


class VoiceService:
    """opener: opens the configured sink; the tests pass one that can fail."""

    def __init__(self, config: Config, run_dir: Path, clock: Clock, opener: Opener = open_sink) -> None:
        self._clock = clock
        self.counters = Counters()
        self._notifier = ServiceNotifier(clock)
        access = plan_access(config.voice.listen, keys := KeyFolder(Path(config.access.keys)))
        self._reactor = Reactor()
        self._bus = VoiceBus(self._reactor, run_dir, clock, self.counters)
        self._ear_bus = VoiceBus(self._reactor, run_dir, clock, self.counters, EAR_ENDS)
        self._router = ClientRouter(
            self._reactor,
            [f"ipc://{run_dir / VOICE_SOCKET}", *access.open],
            clock,
            self.counters,
            standing=lambda identity: self._engine.standing(identity),
            guarded=access.guarded,
            pair=access.pair,
            keys=KeyCheck(keys, clock, self.counters) if access.guarded else None,
        )
        self._session_log = self._open_session_log(config, run_dir)
        self._engine = Engine(
            config,
            clock=clock,
            counters=self.counters,
            send=self._router.send,
            publish=self._bus.publish,
            publish_ear=self._ear_bus.publish,
            offer=self._router.offer,
            hold_back=self._router.hold_back,
            store=self._session_log,
            opener=opener,
            memory_mb=MemoryGauge(clock, self.counters).mb,
        )
        self._chores_due_ns = self._status_due_ns = 0
        self._waiting = False  # whether the last pass left messages or reports unserved
        self._stopping = False

    @property
    def endpoints(self) -> list[str]:
        """The endpoints that clients may connect to, as bound."""
        return self._router.endpoints

    def run(self) -> None:
        """Serve until stop()."""
        release_unused_pages()
        self._notifier.ready()
        log.info("ready: %s", ", ".join(self.endpoints))
        while not self._stopping:
            self.step(self._wait_ms())
        self._shut_down()

    def stop(self) -> None:
        """End the loop; safe in a signal handler."""
        self._stopping = True

    def step(self, timeout_ms: float = 0) -> None:
        """One pass of the loop. Waits up to timeout_ms for a message."""
        if self._reactor.wait(0 if self._waiting else timeout_ms) or self._waiting:
            self._hear()  # first: a barge-in must not wait for a flood of messages
            self._receive_messages()
            self._receive_reports()
            self._waiting = self._router.pending or self._bus.pending or self._ear_bus.pending
        self._engine.step()
        now_ns = self._clock.now_ns()
        if now_ns >= self._chores_due_ns or self._router.holding_back:
            self._chores_due_ns = now_ns + CHORES_NS
            self._do_chores(now_ns)
        while self._router.gone:
            self._engine.left(self._router.gone.popleft())

    def _wait_ms(self) -> int:
        """How long nothing is due. A message ends the wait at once."""
        now_ns = self._clock.now_ns()
        return min(MAX_WAIT_MS, max(0, self._engine.next_step_ns(now_ns) - now_ns) // NS_PER_MS)

    def _receive_messages(self) -> None:
        until_ns = self._clock.now_ns() + MAX_RECEIVE_NS
        while (received := self._router.receive()) is not None:
            identity, frames, user_id = received
            self._engine.handle(identity, frames, allowed_roles(user_id))
            if self._clock.now_ns() >= until_ns:
                return

    def _hear(self) -> None:
        until_ns = self._clock.now_ns() + MAX_HEAR_NS
        while (frames := self._ear_bus.report()) is not None:
            self._engine.hear(frames)
            if self._clock.now_ns() >= until_ns:
                break
        if self._ear_bus.joined():
            self._engine.ear_joined()

    def _receive_reports(self) -> None:
        while (frames := self._bus.report()) is not None:
            self._engine.report(frames[0])
        if self._bus.joined():
            self._engine.joined()

    def _do_chores(self, now_ns: int) -> None:
        self._router.step()
        self._bus.step()
        self._ear_bus.step()
        self._notifier.watchdog()
        if now_ns >= self._status_due_ns:
            self._status_due_ns = now_ns + NS_PER_S
            self._notifier.status(self._engine.status)

    def _open_session_log(self, config: Config, run_dir: Path) -> SessionLogWriter | None:
        if not config.journal.enabled:
            return None
        return SessionLogWriter(config.journal, session_log_folder(config.journal, run_dir), self.counters)

    def _shut_down(self) -> None:
        self._notifier.stopping()
        self._engine.close()
        self._router.close()
        if self._session_log is not None:
            self._session_log.close()
        self._bus.close()
        self._ear_bus.close()
        self._reactor.close()
        log.info("stopped")
