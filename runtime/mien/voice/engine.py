"""The whole voice without its sockets.

Messages and time go in; sound, messages and frames of both buses come out.

Stepped by hand. The service connects it to its sockets; tests, the fuzzer and simulated hours step it themselves.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mien.config import Config
from mien.core import bus, wire
from mien.core.clock import Clock
from mien.core.degradation import Event, Level
from mien.core.log_limit import LogLimit
from mien.core.stats import Counters
from mien.errors import BusError, SinkError
from mien.units import NS_PER_S
from mien.voice.admission import Admission
from mien.voice.barge_in import BargeIn
from mien.voice.calls import Calls
from mien.voice.caption_cues import CaptionCues
from mien.voice.choices import Choices
from mien.voice.ear_link import EarLink
from mien.voice.expression import Expressions
from mien.voice.far_end import FarEndFeed
from mien.voice.floor import Floor
from mien.voice.headphones import Headphones
from mien.voice.health import Health
from mien.voice.listeners import Listeners
from mien.voice.live import Live, Offer
from mien.voice.message_handler import MessageHandler
from mien.voice.mutes import Mutes
from mien.voice.observers import Observers
from mien.voice.orphans import Orphans
from mien.voice.pauses import Pauses
from mien.voice.phone_cues import PhoneCues
from mien.voice.playback import Playback
from mien.voice.preroll import Preroll
from mien.voice.presence import Presence
from mien.voice.publisher import AnchorPublisher, SpeechPublisher
from mien.voice.roles import LOCAL, AllowedRoles
from mien.voice.session_log import JsonSessionLog, LogStore, NullSessionLog, SessionLog
from mien.voice.sessions import Send, Sessions, Standing
from mien.voice.sinks import Opener, Sinks, open_sink
from mien.voice.supervision import Supervision
from mien.voice.turn_queue import TurnQueue

log = logging.getLogger("mien.voice")

KEEPALIVE_NS: Final = 2 * NS_PER_S

Frames = list[bytes]


class Engine:
    """Eight verbs: handle, left (clients), report, joined (the face), hear, ear_joined (the ear), step, close.

    send(identity, message) sends to a client, publish(frames) to the face, publish_ear(frames) to the ear.
    offer(identity, message, payload) sends sound to a client, unless too much waits for it. hold_back(identity): stop
    reading from a client for a moment. store: where the session log goes; None keeps no log. memory_mb: this process's
    memory.
    """

    def __init__(
        self,
        config: Config,
        *,
        clock: Clock,
        counters: Counters,
        send: Send,
        publish: Callable[[Frames], None],
        publish_ear: Callable[[Frames], None] = lambda _: None,
        offer: Offer = lambda *_: False,
        hold_back: Callable[[bytes], None] = lambda _: None,
        store: LogStore | None = None,
        opener: Opener = open_sink,
        memory_mb: Callable[[], float] = lambda: 0.0,
    ) -> None:
        voice, playback = config.voice, config.playback
        self._clock = clock
        self._counters = counters
        self._deliver = send
        self._publish_frames = publish
        self._wake_ms = playback.wake_ms
        self._memory_mb = memory_mb
        self._report_log = LogLimit()
        self._touched = True
        self._second_due_ns = self._keepalive_due_ns = 0
        self._rest_until_ns = 0  # until then, and until a message comes, only the device needs a step

        self.sessions = Sessions(voice.max_clients, voice.max_clients_each)
        self.session_log: SessionLog = NullSessionLog()
        if store is not None:
            self.session_log = JsonSessionLog(
                sessions=self.sessions, clock=clock, store=store, utc_s=time.time, audio=config.journal.audio
            )
        self.preroll = Preroll(playback)
        self.queue = TurnQueue(voice, playback.rate_hz, self.session_log)
        self.orphans = Orphans(self.queue)
        self.expressions = Expressions(self.publish)
        self.pauses = Pauses(voice.max_pause_ms, self.send)
        self.sinks = Sinks(playback, clock, opener)
        self.headphones = Headphones(Path(playback.headphone_jack), clock) if playback.headphone_jack else None
        self.playback = Playback(
            config=playback,
            progress_ms=voice.progress_ms,
            queue=self.queue,
            preroll=self.preroll,
            sink=self.sinks.sink,
            clock=clock,
            counters=counters,
            send=self.send,
            pauses=self.pauses,
            max_cushion_ms=voice.max_buffer_ms // 2,
        )
        self.mutes = Mutes(configured=config.ear.muted)
        self.listeners = Listeners(
            config=config.ear,
            sessions=self.sessions,
            counters=counters,
            status=lambda: self.ear.status,
            send=self.send,
            copy=lambda identity, message: self._deliver(identity, message),
            offer=offer,
        )
        self.barge_in = BargeIn(
            config=config.barge_in,
            queue=self.queue,
            playback=self.playback,
            pauses=self.pauses,
            counters=counters,
            send=self.send,
            tell=self._tell_barge_in,
        )
        self.far_end = FarEndFeed(self.playback.device, playback.rate_hz, clock.now_ns())
        self.live = Live(
            far_end=self.far_end,
            counters=counters,
            offer=offer,
            publish=self.publish,
            epoch=lambda: self.playback.epoch,
        )
        self.ear = EarLink(
            mutes=self.mutes,
            listeners=self.listeners,
            barge_in=self.barge_in,
            far_end=self.far_end,
            counters=counters,
            publish=publish_ear,
            sign=self._show_ear,
            note=self.session_log.heard,
        )
        self.health = Health(self._announce, log.warning)
        self.floor = Floor(
            config=voice,
            queue=self.queue,
            playback=self.playback,
            sessions=self.sessions,
            counters=counters,
            send=self.send,
        )
        self.observers = Observers(
            sessions=self.sessions,
            orphans=self.orphans,
            playback=self.playback,
            live=self.live,
            counters=counters,
            progress_ms=voice.progress_ms,
            send=self.send,
            publish=self.publish,
        )
        self.choices = Choices(counters=counters, send=self.send, publish=self.publish)
        self.calls = Calls(sessions=self.sessions, send=self.send)
        self.presence = Presence(sessions=self.sessions, send=self._deliver, publish=self.publish)
        self.supervision = Supervision(
            sessions=self.sessions,
            floor=self.floor,
            counters=counters,
            send=self.send,
            deliver=self._deliver,
            publish=self.publish,
        )
        self.admission = Admission(
            config=voice,
            sessions=self.sessions,
            orphans=self.orphans,
            queue=self.queue,
            playback=self.playback,
            floor=self.floor,
            observers=self.observers,
            expressions=self.expressions,
            listeners=self.listeners,
            mutes=self.mutes,
            choices=self.choices,
            calls=self.calls,
            supervision=self.supervision,
            session_log=self.session_log,
            clock=clock,
            counters=counters,
            send=self.send,
        )
        self.handler = MessageHandler(
            config=voice,
            sessions=self.sessions,
            queue=self.queue,
            playback=self.playback,
            floor=self.floor,
            observers=self.observers,
            admission=self.admission,
            expressions=self.expressions,
            listeners=self.listeners,
            mutes=self.mutes,
            ear=self.ear,
            barge_in=self.barge_in,
            choices=self.choices,
            presence=self.presence,
            calls=self.calls,
            supervision=self.supervision,
            session_log=self.session_log,
            clock=clock,
            counters=counters,
            send=self.send,
            hold_back=hold_back,
        )
        self.anchors = AnchorPublisher(self.playback, clock, self.publish)
        self.speech = SpeechPublisher(self.queue, playback.speech_ahead_ms)
        self.captions = CaptionCues(self.queue, playback.speech_ahead_ms)
        self.phones = PhoneCues(self.queue, playback.speech_ahead_ms)
        if self.sinks.failure:
            self._play_silence(self.sinks.failure, between_turns=True)

    def handle(self, identity: bytes, frames: Frames, allowed: AllowedRoles = LOCAL) -> None:
        """Handle one message of a client."""
        self._touched = True
        self.handler.handle(identity, frames, allowed)

    def left(self, identity: bytes) -> None:
        """A client's connection has closed."""
        self._touched = True
        self.handler.leave(identity)

    def report(self, frame: bytes) -> None:
        """Handle one report of the face. A malformed one is counted and logged."""
        self._touched = True
        now_ns = self._clock.now_ns()
        try:
            report = bus.decode_from_face(frame)
        except BusError as error:
            self._counters.count("bus_refused")
            if (line := self._report_log.line(str(error), now_ns)) is not None:
                log.error("%s", line)
            return
        if isinstance(report, bus.MotionReady):
            self.preroll.note_ready(report.epoch, report.ready_ns, now_ns)
        elif isinstance(report, bus.Thumbnail):
            self.observers.thumbnail(report)
        elif isinstance(report, bus.PoseBatch):
            self.live.poses(report)
        elif isinstance(report, bus.ChoicesShown):
            self.choices.shown(report)
        elif isinstance(report, bus.ChoiceMade):
            self.choices.made(report)
        elif isinstance(report, bus.Touched):
            self.presence.take(wire.Presence(source="touch"))
        else:
            self.preroll.note_seen(now_ns)
            self.observers.face_health(report)
            self.health.face_level(report.level, report.pid, now_ns, between_turns=self.playback.idle)
            self.publish(report)

    def joined(self) -> None:
        """A subscriber has joined the bus: publish what it needs to be in sync."""
        self._touched = True
        self.anchors.publish()
        self.publish(self.expressions.now)
        self.publish(self.choices.now)
        self.supervision.face_joined()
        self.publish(self.live.orders)
        self.captions.renew()
        self.phones.renew()
        for frames in self.speech.replay():
            self._publish_frames(frames)
        self.ear.show_sign(anew=True)

    def hear(self, frames: Frames) -> None:
        """Handle one report of the ear."""
        self._touched |= self.ear.hear(frames, self._clock.now_ns())

    def ear_joined(self) -> None:
        """An ear has joined its bus."""
        self.ear.joined()

    def step(self) -> None:
        """Play, and do whatever is due. While nothing is, this only tops the device up."""
        now_ns = self._clock.now_ns()
        if now_ns < self._rest_until_ns and not self._touched:
            self._play(self.playback.top_up)
            self._pass_on_far_end(now_ns)
            return
        self._touched = False
        self._tend_headphones()
        self._tend_device()
        self.floor.step(now_ns)
        self.pauses.step(now_ns)
        self.ear.step()
        self.barge_in.step(now_ns)
        self._play(self.playback.step)
        self._pass_on_far_end(now_ns)
        self.observers.step(now_ns, self.expressions.now, self.floor.name)
        self.presence.step(now_ns, self.playback.epoch)
        self.supervision.step(self.playback.epoch)
        self.anchors.step()  # before the speech: the face must know a new epoch before its first frame arrives
        self._publish_speech()
        if now_ns >= self._second_due_ns:
            self._second_due_ns = now_ns + NS_PER_S
            self._every_second(now_ns)
        self._rest_until_ns = min(self.anchors.due_ns, self._second_due_ns) if self._quiet else 0

    def close(self) -> None:
        """Finish every turn with the reason shutdown, and close the sink."""
        self.playback.finish_all()
        self.sinks.close()
        if self.headphones is not None:
            self.headphones.close()

    def next_step_ns(self, now_ns: int) -> int:
        """When step() is due if nothing else happens."""
        return min(self.playback.next_step_ns(now_ns), self.barge_in.due_ns)

    def standing(self, identity: bytes) -> Standing:
        """The role of a client; "stranger" before its hello."""
        session = self.sessions.find(identity)
        return "stranger" if session is None else session.role

    @property
    def status(self) -> str:
        """One line for `systemctl status`."""
        device = "" if self.sinks.state == "open" else f", sound card {self.sinks.state}"
        device += ", headphones" if self.sinks.headphones else ""
        ear = f", ear {self.ear.status.state}" if self.ear.present else ""
        last = f", last turn {self.anchors.last_turn}" if self.anchors.last_turn else ""
        phase = self.playback.anchor().phase
        return f"{self.health.level.value}, {len(self.sessions)} clients, {phase}{device}{ear}{last}"

    def send(self, identity: bytes, message: wire.Message) -> None:
        """Send to one client, and tell the session log and the observers."""
        self._deliver(identity, message)
        self.session_log.sent(identity, message)
        if isinstance(message, wire.Started):
            turn = self.queue.find(identity, message.turn)
            if turn is not None and not turn.received.behind:
                self.observers.started(message)
        if isinstance(message, wire.Finished):
            self.observers.finished(identity, message)
            self.orphans.finished(identity, message)

    def publish(self, message: bus.BusMessage) -> None:
        """Publish to the face."""
        self._publish_frames([bus.encode(message)])

    @property
    def _quiet(self) -> bool:
        """Whether only the device needs a step until a message arrives."""
        return not (
            self.queue.turns
            or self.pauses
            or self.floor.holder
            or self.observers.busy
            or self.presence.busy
            or self.playback.held_back
            or (self.headphones is not None and self.headphones.unsettled)
        )

    def _tell_barge_in(self, owner: bytes, message: wire.BargeIn) -> None:
        self.send(owner, message)
        self.listeners.tell(message, but=owner)

    def _show_ear(self, live: bool, muted: bool, speaking: bool) -> None:
        self.publish(bus.EarSign(epoch=self.playback.epoch, live=live, muted=muted, speaking=speaking))

    def _play(self, step: Callable[[], None]) -> None:
        try:
            step()
        except SinkError as error:
            self.sinks.lose()
            self._play_silence(str(error), between_turns=False)

    def _play_silence(self, why: str, *, between_turns: bool) -> None:
        self.playback.use_sink(self.sinks.sink, audible=False)
        self.health.apply(Event.SINK_LOST, why, between_turns=between_turns)

    def _tend_headphones(self) -> None:
        """Give the sound to headphones that are plugged in, once all that was written for the loudspeaker was heard."""
        if self.headphones is None:
            return
        if self.headphones.poll():
            self.sinks.plug(self.headphones.plugged)
            self.playback.use_volume(self.sinks.volume)
            self.presence.take(wire.Presence(present=self.headphones.plugged, source="headphones"))
        self.playback.held_back = self.sinks.switching
        if self.playback.held_back and not self.playback.device.playout_log.holds_speech:
            self.sinks.switch()
            self._use_sink(audible=True)
            self.playback.held_back = False

    def _use_sink(self, *, audible: bool) -> None:
        self.playback.use_sink(self.sinks.sink, audible=audible, wake_ms=self._wake_ms)
        self.playback.use_volume(self.sinks.volume)

    def _tend_device(self) -> None:
        """Release the device after a long silence, and open it again when speech is coming."""
        wanted = self.sinks.wants_device(busy=not self.playback.idle, sign=self.expressions.now)
        if self.playback.released and wanted:
            self.sinks.reopen()
            self._use_sink(audible=not self.sinks.failure)
            if self.sinks.failure:
                self.health.apply(Event.SINK_LOST, self.sinks.failure, between_turns=False)
        elif not wanted and self.playback.audible and not self.playback.released:
            self.sinks.release()
            self.playback.release()
            log.info("released the sound card")

    def _pass_on_far_end(self, now_ns: int) -> None:
        """Give what was written to the device to the ear and to the clients that hear it. Without any it is free."""
        if self.far_end.on:
            for block, pcm in self.far_end.take(now_ns):
                self.ear.publish_far_end(block, pcm)
                self.live.heard(block, pcm)

    def _publish_speech(self) -> None:
        epoch, media_ns = self.playback.epoch, self.playback.media_ns
        for cue in self.captions.step(epoch, media_ns, self._clock.now_ns()):
            self.publish(cue)
        for words in self.phones.step(epoch, media_ns):
            self.publish(words)
        for frames in self.speech.step(epoch, media_ns):
            self._publish_frames(frames)

    def _every_second(self, now_ns: int) -> None:
        self.handler.limits.sweep(now_ns)
        self.orphans.sweep(now_ns)
        self.ear.every_second(now_ns)
        present = self.preroll.present(now_ns)
        self.choices.face(present)
        if self.health.level in (Level.FULL, Level.ENVELOPE) and not present:
            self.health.face_lost("the face stopped reporting", now_ns, between_turns=self.playback.idle)
        if self.sinks.state == "lost" and self.playback.idle and self.sinks.retry():
            self._use_sink(audible=True)
            self.health.apply(Event.SINK_BACK, "the sound card is back", between_turns=True)
        report = self.health.report(
            self.playback.epoch,
            len(self.sessions),
            self._memory_mb(),
            self._counters,
            self.sessions.newest,
            self.sinks.state,
            self.supervision.visits.now,
            headphones=self.sinks.headphones,
        )
        self.publish(report)
        self.observers.health(
            report,
            face_present=present,
            turns=self.queue.turns,
            ear=self.ear.status.state,
            ear_health=self.ear.health,
        )
        if now_ns >= self._keepalive_due_ns:
            self._keepalive_due_ns = now_ns + KEEPALIVE_NS
            self._announce(wire.Pong(nonce=0, now_ns=now_ns))

    def _announce(self, message: wire.Message) -> None:
        for identity in self.sessions.identities():
            self.send(identity, message)
