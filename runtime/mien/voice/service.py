"""The composition root of mien-voice: opens in order, turns the loop, closes in reverse.

One thread, one loop: clients, bus and sound card are served by short steps that never block, so nothing needs a lock.
"""

import logging
from collections.abc import Callable
from pathlib import Path

from mien.audio.base import Sink
from mien.config import Config, PlaybackConfig
from mien.core import bus, wire
from mien.core.clock import Clock
from mien.core.ladder import Event, Level
from mien.core.log_limit import LogLimit
from mien.core.stats import Counters
from mien.errors import BusError, SinkError
from mien.host.memory import MemoryGauge
from mien.host.notify import ServiceNotifier
from mien.host.pages import give_back
from mien.transport import VOICE_SOCKET
from mien.transport.access import plan_access
from mien.transport.bus import VoiceBus
from mien.transport.key_check import KeyCheck
from mien.transport.keys import KeyFolder
from mien.transport.router import ClientRouter, Standing
from mien.transport.zmtp.reactor import Reactor
from mien.units import NS_PER_MS, NS_PER_S
from mien.voice.assembly import Assembly
from mien.voice.device import DeviceRetry, open_silence, open_sink
from mien.voice.grants import grant_of
from mien.voice.health import Health
from mien.voice.idle_release import IdleRelease
from mien.voice.journal_writer import JournalWriter, journal_folder

log = logging.getLogger("mien.voice")

MOST_WAIT_MS = 100  # anchors, floor and clients that are gone are looked after that often, whatever plays
INTAKE_NS = 3 * NS_PER_MS  # a flood of messages must not keep the device waiting
ANCHOR_NS = 20 * NS_PER_MS
IDLE_ANCHOR_NS = 250 * NS_PER_MS
KEEPALIVE_NS = 2 * NS_PER_S


class VoiceService:
    """Everything that mien-voice is. opener: opens the configured sink; the tests hand in one that can fail."""

    def __init__(
        self, config: Config, run_dir: Path, clock: Clock, opener: Callable[[PlaybackConfig, Clock], Sink] = open_sink
    ) -> None:
        self._clock = clock
        self._config = config
        self.counters = Counters()
        self._notifier = ServiceNotifier(clock)
        self._memory = MemoryGauge(clock, self.counters)
        access = plan_access(config.voice.listen, keys := KeyFolder(Path(config.access.keys)))
        self._reactor = Reactor()
        self._health = Health(self._announce, log.warning)
        self._opener = opener
        idle_s = 0 if config.playback.sink == "wav" else config.playback.idle_release_s  # a WAV would begin anew
        self._release = IdleRelease(idle_s, clock.now_ns())
        self._retry = DeviceRetry(config.playback, clock, opener)
        self._bus = VoiceBus(self._reactor, run_dir, clock, self.counters)
        self._router = ClientRouter(
            self._reactor,
            [f"ipc://{run_dir / VOICE_SOCKET}", *access.open],
            clock,
            self.counters,
            standing=self._standing,
            guarded=access.guarded,
            pair=access.pair,
            keys=KeyCheck(keys, clock, self.counters) if access.guarded else None,
        )
        self._sink, failure = self._first_sink(opener)
        self._journal = self._open_journal(run_dir)
        self._voice = Assembly(
            voice=config.voice,
            playback=config.playback,
            sink=self._sink,
            clock=clock,
            counters=self.counters,
            send=self._router.send,
            publish=self._bus.publish,
            hold_back=self._router.hold_back,
            shelf=self._journal,
            keep_audio=config.journal.audio,
        )
        self._playback, self._gate = self._voice.playback, self._voice.gate
        if failure:
            self._playback.use_sink(self._sink, audible=False)
            self._health.apply(Event.SINK_LOST, failure, between_turns=True)
        self._anchor_due_ns = self._second_due_ns = self._keepalive_due_ns = 0
        self._anchor: bus.Anchor | None = None
        self._last_turn = ""
        self._bad_reports = LogLimit()
        self._stopping = False

    @property
    def endpoints(self) -> list[str]:
        """What clients may connect to, as bound."""
        return self._router.endpoints

    def run(self) -> None:
        """Serve until stop()."""
        give_back()
        self._notifier.ready()
        log.info("ready: %s", ", ".join(self.endpoints))
        while not self._stopping:
            self.step(self._wait_ms())
        self._shut_down()

    def stop(self) -> None:
        """Ask the loop to end; safe in a signal handler."""
        self._stopping = True

    def step(self, patience_ms: float = 0) -> None:
        """One pass: clients in, face in, sound out, bus out. Waits up to patience_ms for something to come."""
        waits = self._router.pending or self._bus.pending
        came = self._reactor.wait(0 if waits else patience_ms)
        if not (came or waits) and self._nothing_due():
            self._play(self._playback.top_up)
            return
        self._take_messages()
        self._take_reports()
        self._tend_device()
        self._play(self._voice.step)
        self._publish_anchor()  # before the speech: a new epoch must be known before its first frame comes
        self._voice.publish_speech()
        self._housekeeping()

    def _nothing_due(self) -> bool:
        """Whether only the device needs care: most wakings of a kiosk, which is silent nearly always."""
        return self._clock.now_ns() < self._anchor_due_ns and self._voice.quiet and not self._router.holding_back

    def _wait_ms(self) -> int:
        """How long nothing is due; a message ends the wait at once."""
        now_ns = self._clock.now_ns()
        return min(MOST_WAIT_MS, max(0, self._playback.next_step_ns(now_ns) - now_ns) // NS_PER_MS)

    def _take_messages(self) -> None:
        until_ns = self._clock.now_ns() + INTAKE_NS
        while (received := self._router.receive()) is not None:
            identity, frames, user_id = received
            self._voice.handle(identity, frames, grant_of(user_id))
            if self._clock.now_ns() >= until_ns:
                return

    def _standing(self, identity: bytes) -> Standing:
        session = self._voice.sessions.find(identity)
        return "stranger" if session is None else session.role

    def _open_journal(self, run_dir: Path) -> JournalWriter | None:
        config = self._config.journal
        if not config.enabled:
            return None
        return JournalWriter(config, journal_folder(config, run_dir), self.counters)

    def _first_sink(self, opener: Callable[[PlaybackConfig, Clock], Sink]) -> tuple[Sink, str]:
        """The configured sink, or silence and why."""
        try:
            return opener(self._config.playback, self._clock), ""
        except SinkError as error:
            return open_silence(self._config.playback, self._clock), str(error)

    def _tend_device(self) -> None:
        """Let the device go after a long silence, and take it back when speech is coming."""
        wanted = self._release.wants_device(
            self._clock.now_ns(), busy=not self._playback.idle, sign=self._voice.expressions.now
        )
        if self._playback.released and wanted:
            self._take_device_back()
        elif not wanted and self._playback.audible and not self._playback.released:
            self._sink.close()
            self._playback.release()
            log.info("the sound card was let go")

    def _take_device_back(self) -> None:
        self._sink, failure = self._first_sink(self._opener)
        self._playback.use_sink(self._sink, audible=not failure, wake_ms=self._config.playback.wake_ms)
        if failure:
            self._health.apply(Event.SINK_LOST, failure, between_turns=False)

    def _play(self, step: Callable[[], None]) -> None:
        try:
            step()
        except SinkError as error:
            self._sink.close()
            self._sink = open_silence(self._config.playback, self._clock)
            self._playback.use_sink(self._sink, audible=False)
            self._health.apply(Event.SINK_LOST, str(error), between_turns=False)

    def _take_reports(self) -> None:
        now_ns = self._clock.now_ns()
        while (frame := self._bus.report()) is not None:
            try:
                report = bus.decode_from_face(frame)
            except BusError as error:
                self.counters.count("bus_refused")
                if (line := self._bad_reports.line(str(error), now_ns)) is not None:
                    log.error("%s", line)
                continue
            if isinstance(report, bus.MotionReady):
                self._gate.note_ready(report.epoch, report.ready_ns, now_ns)
            elif isinstance(report, bus.Thumbnail):
                self._voice.observers.thumbnail(report)
            else:
                self._gate.note_seen(now_ns)
                self._voice.observers.face_health(report)
                self._health.face_level(report.level, report.pid, now_ns, between_turns=self._playback.idle)
                self._publish(report)
        if self._bus.joined():
            self._welcome_face()

    def _welcome_face(self) -> None:
        self._publish_anchor(now=True)
        self._publish(self._voice.expressions.now)
        self._voice.captions.renew()
        for frames in self._voice.speech.replay():
            self._bus.publish(frames)

    def _publish_anchor(self, *, now: bool = False) -> None:
        anchor, now_ns = self._playback.anchor(), self._clock.now_ns()
        before = self._anchor
        changed = before is None or (before.epoch, before.phase, before.turn) != (
            anchor.epoch,
            anchor.phase,
            anchor.turn,
        )
        if now or changed or now_ns >= self._anchor_due_ns:
            self._publish(anchor)
            self._anchor = anchor
            self._last_turn = anchor.turn or self._last_turn
            self._anchor_due_ns = now_ns + (ANCHOR_NS if anchor.phase == "speaking" else IDLE_ANCHOR_NS)

    def _housekeeping(self) -> None:
        self._router.step()
        self._bus.step()
        while self._router.gone:
            self._voice.leave(self._router.gone.popleft())
        now_ns = self._clock.now_ns()
        self._notifier.watchdog()
        if now_ns >= self._keepalive_due_ns:
            self._keepalive_due_ns = now_ns + KEEPALIVE_NS
            self._announce(wire.Pong(nonce=0, now_ns=now_ns))
        if now_ns >= self._second_due_ns:
            self._second_due_ns = now_ns + NS_PER_S
            self._every_second(now_ns)

    def _every_second(self, now_ns: int) -> None:
        if self._health.level in (Level.FULL, Level.ENVELOPE) and not self._gate.present(now_ns):
            self._health.face_lost("the face stopped reporting", now_ns, between_turns=self._playback.idle)
        if not self._playback.audible and self._playback.idle and (sink := self._retry.attempt()) is not None:
            self._sink.close()
            self._sink = sink
            self._playback.use_sink(sink, audible=True, wake_ms=self._config.playback.wake_ms)
            self._health.apply(Event.SINK_BACK, "the sound card is back", between_turns=True)
        sessions = self._voice.sessions
        report = self._health.report(
            self._playback.epoch, len(sessions), self._memory.mb(), self.counters, sessions.newest, self._device_state()
        )
        self._publish(report)
        self._voice.observers.health(report, face_present=self._gate.present(now_ns))
        sound = "" if report.device == "open" else f", sound card {report.device}"
        last = f", last turn {self._last_turn}" if self._last_turn else ""
        self._notifier.status(f"{report.level}, {report.clients} clients, {self._playback.anchor().phase}{sound}{last}")

    def _device_state(self) -> bus.DeviceState:
        if self._playback.released:
            return "released"
        return "open" if self._playback.audible else "lost"

    def _announce(self, message: wire.Message) -> None:
        for identity in self._voice.sessions.identities():
            self._voice.send(identity, message)

    def _publish(self, message: bus.BusMessage) -> None:
        self._bus.publish([bus.encode(message)])

    def _shut_down(self) -> None:
        self._notifier.stopping()
        self._voice.close_turns()
        self._router.close()
        if self._journal is not None:
            self._journal.close()
        self._bus.close()
        self._reactor.close()
        self._sink.close()
        log.info("stopped")
