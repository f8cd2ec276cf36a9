"""Handles what clients send: the border at which messages are validated, once.

Pure: bytes in, messages out through `send`. A message that breaks the protocol is answered with `error` and counted,
and changes nothing else.
"""

from collections.abc import Callable
from typing import Final, TypedDict

from mien.config import VoiceConfig
from mien.core import wire
from mien.core.clock import Clock
from mien.core.stats import Counters
from mien.errors import ProtocolError
from mien.voice.admission import Admission
from mien.voice.barge_in import BargeIn
from mien.voice.calls import Calls
from mien.voice.choices import Choices
from mien.voice.ear_link import EarLink
from mien.voice.expression import Expressions
from mien.voice.floor import Floor
from mien.voice.limits import RateLimits
from mien.voice.listeners import Listeners
from mien.voice.mutes import Mutes
from mien.voice.observers import Observers
from mien.voice.playback import Playback
from mien.voice.presence import Presence
from mien.voice.roles import LOCAL, AllowedRoles
from mien.voice.session_log import SessionLog
from mien.voice.sessions import Send, Session, Sessions
from mien.voice.supervision import NOT_FOR_OBSERVERS, NOT_FOR_SPEAKERS, Supervision
from mien.voice.turn_queue import TurnQueue

_FOR_SPEAKING = (
    wire.Audio,
    wire.End,
    wire.Interrupt,
    wire.Pause,
    wire.Resume,
    wire.Volume,
    wire.State,
    wire.Emotion,
    wire.Gesture,
    wire.LookAt,
    wire.Caption,
    wire.Phones,
    wire.Mute,
    wire.Unmute,
    wire.Choices,
    wire.Presence,
    wire.Call,
    wire.AnswerCall,
    *NOT_FOR_OBSERVERS,
)
_FOR_WATCHING = (wire.Subscribe, wire.GetThumbnail, *NOT_FOR_SPEAKERS)
_NO_ACTS = (wire.Hello, wire.Ping)
_NEEDS_FLOOR = (wire.Pause, wire.Resume, wire.Volume, wire.State, wire.Emotion, wire.Gesture, wire.LookAt)


AUDIO_HEADER_BYTES: Final = 400  # an audio header has at most 3 fields and a name of 256 bytes


class MessageHandler:
    """Handles one message at a time. hold_back(identity) is called for a client that exceeds its limits."""

    def __init__(
        self,
        *,
        config: VoiceConfig,
        sessions: Sessions,
        queue: TurnQueue,
        playback: Playback,
        floor: Floor,
        observers: Observers,
        admission: Admission,
        expressions: Expressions,
        listeners: Listeners,
        mutes: Mutes,
        ear: EarLink,
        barge_in: BargeIn,
        choices: Choices,
        presence: Presence,
        calls: Calls,
        supervision: Supervision,
        session_log: SessionLog,
        clock: Clock,
        counters: Counters,
        send: Send,
        hold_back: Callable[[bytes], None],
    ) -> None:
        self._config = config
        self._queue = queue
        self._playback = playback
        self._floor = floor
        self._observers = observers
        self._admission = admission
        self._expressions = expressions
        self._listeners = listeners
        self._mutes = mutes
        self._ear = ear
        self._barge_in = barge_in
        self._choices = choices
        self._presence = presence
        self._calls = calls
        self._supervision = supervision
        self._session_log = session_log
        self._clock = clock
        self._counters = counters
        self._send = send
        self._hold_back = hold_back
        self.limits = RateLimits(config)
        self.sessions = sessions

    def handle(self, identity: bytes, frames: list[bytes], allowed: AllowedRoles = LOCAL) -> None:
        """Handle one message: its header frame and what followed. Never raises for what a client sent."""
        self._counters.count("messages")
        now_ns = self._clock.now_ns()
        if not self.limits.take(identity, sum(map(len, frames)), now_ns):
            self._throttle(identity, frames, now_ns)
            return
        self._admission.close_if_foreign(identity, allowed)
        self._floor.note(identity, now_ns)
        message: wire.ClientMessage | None = None
        try:
            message = wire.decode_client(frames[0] if frames else b"")
            self._check_payload(message, frames)
            session = self._dispatch(identity, message, frames, allowed)
            session.heard_ns = now_ns
            session.acted |= not isinstance(message, _NO_ACTS)
            self._session_log.received(session, message)
        except ProtocolError as error:
            self._note_refused(identity, message)
            self._refuse(identity, error)

    def leave(self, identity: bytes) -> None:
        """A client's connection has closed."""
        self.limits.leave(identity)
        self._admission.gone(identity)

    def _throttle(self, identity: bytes, frames: list[bytes], now_ns: int) -> None:
        self._counters.count("messages_over_limit")
        self._hold_back(identity)
        tell = self.limits.may_tell(identity, now_ns)
        if not tell and (len(frames) != 2 or len(frames[0]) > AUDIO_HEADER_BYTES):
            return
        message: object = None
        try:
            message = wire.decode_client(frames[0] if frames else b"")
        except ProtocolError as error:
            message = error
        self._note_refused(identity, message)
        if not tell:
            return
        text = (
            f"at most {self._config.max_messages_per_s} messages and {self._config.max_kb_per_s} kB a second; "
            "send more slowly"
        )
        self._refuse(identity, ProtocolError("rate_limited", text, retryable=True, **_named(message)))

    def _note_refused(self, identity: bytes, message: object) -> None:
        """A turn whose first chunk is refused has not begun, even if an `end` follows."""
        if isinstance(message, wire.Audio) and identity in self.sessions:
            self._queue.refused(identity, message.turn)

    def _check_payload(self, message: wire.ClientMessage, frames: list[bytes]) -> None:
        if not isinstance(message, wire.Audio):
            if len(frames) > 1:
                raise ProtocolError("unexpected_payload", "only audio has a payload frame")
        elif len(frames) != 2:
            raise ProtocolError(
                "missing_payload", f"audio has one payload frame; {len(frames) - 1} came", **_named(message)
            )

    def _dispatch(
        self, identity: bytes, message: wire.ClientMessage, frames: list[bytes], allowed: AllowedRoles
    ) -> Session:
        if isinstance(message, wire.Hello):
            return self._admission.hello(identity, message, allowed)
        session = self.sessions.find(identity)
        if session is None:
            raise ProtocolError(
                "no_hello",
                "say hello first; this connection has no session: the voice was restarted, or the session was closed",
                **_named(message),
            )
        self._check_role(session, message)
        match message:
            case wire.Audio():
                self._audio(session, message, frames[1])
            case wire.End():
                self._queue.end(identity, session.codec.rate_hz, message.turn, self._clock.now_ns())
            case wire.Interrupt():
                self._interrupt(session, message)
            case wire.Pause():
                self._playback.pauses.pause(identity, self._clock.now_ns())
            case wire.Resume():
                self._barge_in.decline()
                self._playback.pauses.resume(identity)
            case wire.Volume():
                self._playback.set_volume(message.gain, message.fade_ms)
            case wire.Ping():
                self._send(identity, wire.Pong(nonce=message.nonce, now_ns=self._clock.now_ns()))
            case wire.TakeFloor():
                self._floor.take(session, message.queue, self._clock.now_ns())
            case wire.ReleaseFloor():
                self._floor.release(identity, message.note)
            case wire.Subscribe():
                self._observers.subscribe(session, message)
                self._calls.joined(session, self._clock.now_ns())
                self._supervision.visits.joined(session)
            case wire.GetThumbnail():
                self._observers.ask_for_thumbnail(identity, message.width, self._clock.now_ns())
            case wire.Caption():
                self._caption(session, message)
            case wire.Phones():
                self._phones(session, message)
            case wire.Listen():
                self._listeners.listen(session, message)
                self._ear.refresh()
                self._listeners.answer(identity)
            case wire.Mute() | wire.Unmute():
                self._mute(session, message)
            case wire.Choices():
                if message.items:  # taking one's own away disturbs nobody
                    self._floor.check_may_act(identity)
                self._choices.offer(session, message, self._playback.epoch)
            case wire.Presence():
                self._presence.take(message, identity)
            case wire.Call():
                self._calls.take(session, message, self._clock.now_ns())
            case wire.AnswerCall():
                self._calls.answer(session, message, self._clock.now_ns())
            case wire.Relay() | wire.RelayDone() | wire.Visit() | wire.Screen() | wire.Attend() | wire.Drain():
                self._supervision.take(session, message, self._playback.epoch)
            case wire.Bye():
                self._admission.bye(session)
            case _:
                self._expressions.take(identity, message, self._playback.epoch)
        return session

    def _check_role(self, session: Session, message: wire.ClientMessage) -> None:
        role = session.role
        refused = (role == "observer" and isinstance(message, _FOR_SPEAKING)) or (
            role == "speaker" and isinstance(message, _FOR_WATCHING)
        )
        if refused:
            raise ProtocolError(
                "not_allowed", f"this client said hello as {role}, which does not permit it", **_named(message)
            )
        if isinstance(message, _NEEDS_FLOOR):
            self._floor.check_may_act(session.identity)

    def _audio(self, session: Session, audio: wire.Audio, payload: bytes) -> None:
        try:
            self._queue.audio(session.identity, session.codec, audio.turn, audio.seq, payload, self._clock.now_ns())
        except ProtocolError as error:
            error.turn, error.seq = audio.turn, audio.seq
            raise
        self._counters.count(f"audio_bytes_{session.encoding}", len(payload))

    def _interrupt(self, session: Session, message: wire.Interrupt) -> None:
        turns = self._queue.behind(session.identity, message.turn)
        self._playback.interrupt(turns)
        self._barge_in.confirm(turns)
        self._playback.pauses.forget(session.identity)
        self._counters.count("interrupts")
        self._send(session.identity, wire.Interrupted(turns=tuple(turn.name for turn in turns)))

    def _mute(self, session: Session, message: wire.Mute | wire.Unmute) -> None:
        try:
            (self._mutes.mute if isinstance(message, wire.Mute) else self._mutes.unmute)(session)
        finally:
            self._ear.refresh()
        self._listeners.answer(session.identity)

    def _caption(self, session: Session, caption: wire.Caption) -> None:
        mine = [turn for turn in self._queue.turns if turn.owner == session.identity]
        self._queue.captions.take(session.identity, self._queue.find(session.identity, caption.turn), caption, mine)
        self._observers.captioned(session, caption)

    def _phones(self, session: Session, message: wire.Phones) -> None:
        mine = [turn for turn in self._queue.turns if turn.owner == session.identity]
        self._queue.phones.take(session.identity, self._queue.find(session.identity, message.turn), message, mine)

    def _refuse(self, identity: bytes, error: ProtocolError) -> None:
        self._counters.count(f"refused_{error.code}")
        protocols = wire.SUPPORTED_PROTOCOLS if error.code == "protocol_version" else ()
        self._send(
            identity,
            wire.Error(
                code=error.code,
                message=str(error),
                retryable=error.retryable,
                turn=error.turn,
                seq=error.seq,
                protocols=protocols,
            ),
        )


class _Named(TypedDict):
    turn: str
    seq: int


def _named(message: object) -> _Named:
    """The turn and sequence number of a message, if it has them, for the error about it."""
    return {"turn": getattr(message, "turn", None) or "", "seq": getattr(message, "seq", -1)}
