"""Intake: what clients send, checked at this border, once, and turned into work for those whom it concerns.

Pure: bytes in, messages out through `send`. A message that breaks the protocol is answered with `error` and counted,
and changes nothing else.
"""

from collections.abc import Callable
from typing import Final, Protocol, TypedDict

import msgspec

from mien import __version__
from mien.config import VoiceConfig
from mien.core import bus, wire
from mien.core.clock import Clock
from mien.core.stats import Counters
from mien.errors import ProtocolError
from mien.voice.codecs import open_codec, spoken_encodings
from mien.voice.desk import Desk
from mien.voice.floor import Floor
from mien.voice.grants import LOCAL, Grant
from mien.voice.limits import RateLimits
from mien.voice.observers import Observers
from mien.voice.playback import Playback, Send
from mien.voice.sessions import Session, Sessions

CAPABILITIES: Final = ("interrupt", "pause", "volume", "state", "emotion", "gesture", "look_at", "caption", "words",
                       "takeover", "subscribe", "thumbnail")
Publish = Callable[[bus.BusMessage], None]
_FOR_SPEAKING = (wire.Audio, wire.End, wire.Interrupt, wire.Pause, wire.Resume, wire.Volume, wire.State, wire.Emotion,
                 wire.Gesture, wire.LookAt, wire.Caption)
_FOR_WATCHING = (wire.Subscribe, wire.GetThumbnail)
_NEEDS_FLOOR = (wire.Pause, wire.Resume, wire.Volume, wire.State, wire.Emotion, wire.Gesture, wire.LookAt)


class Journal(Protocol):
    """Who keeps a record of the sessions."""

    def received(self, session: Session, message: wire.ClientMessage) -> None:
        """A client sent something that was taken."""
        ...

    def left(self, session: Session) -> None:
        """A client is gone."""
        ...


class Intake:
    """Handles one client message at a time. publish(message) takes what concerns the face to the bus."""

    def __init__(self, *, config: VoiceConfig, sessions: Sessions, desk: Desk, playback: Playback, floor: Floor,
                 observers: Observers, journal: Journal, clock: Clock, counters: Counters, send: Send,
                 publish: Publish) -> None:
        self._config = config
        self._desk = desk
        self._playback = playback
        self._floor = floor
        self._observers = observers
        self._journal = journal
        self._clock = clock
        self._counters = counters
        self._send = send
        self._publish = publish
        self.limits = RateLimits(config)
        self.sessions = sessions
        self.expression = bus.Expression(epoch=0)

    def handle(self, identity: bytes, frames: list[bytes], grant: Grant = LOCAL) -> None:
        """Take one message of a client: its header frame and what followed. Never raises for what a client sent."""
        self._counters.count("messages")
        now_ns = self._clock.now_ns()
        if not self.limits.take(identity, sum(map(len, frames)), now_ns):
            self._throttle(identity, frames, now_ns)
            return
        self._close_if_foreign(identity, grant)
        self._floor.note(identity, now_ns)
        try:
            message = wire.decode_client(frames[0] if frames else b"")
            self._check_payload(message, frames)
            session = self._dispatch(identity, message, frames, grant)
            self._journal.received(session, message)
        except ProtocolError as error:
            self._refuse(identity, error)

    def leave(self, identity: bytes) -> None:
        """A client's connection is gone."""
        self.limits.leave(identity)
        self._close(identity)

    def _close_if_foreign(self, identity: bytes, grant: Grant) -> None:
        """A session is its principal's: whoever else comes by its address, or under a key that has lost the role,
        finds none."""
        session = self.sessions.find(identity)
        if session and (session.principal != grant.principal or session.role not in grant.roles):
            self._counters.count("sessions_of_another_principal")
            self._close(identity)

    def _close(self, identity: bytes) -> None:
        session = self.sessions.close(identity)
        if session is None:
            return
        self._journal.left(session)
        self._counters.count("clients_gone")
        self._desk.leave(identity)
        self._floor.leave(identity, self._clock.now_ns())
        self._observers.leave(identity)
        if self._playback.paused_by == identity:
            self._playback.paused_by = None

    def _throttle(self, identity: bytes, frames: list[bytes], now_ns: int) -> None:
        self._counters.count("messages_over_limit")
        if not self.limits.may_tell(identity, now_ns):
            return
        try:
            message: object = wire.decode_client(frames[0] if frames else b"")
        except ProtocolError as error:
            message = error
        text = (f"at most {self._config.max_messages_per_s} messages and {self._config.max_kb_per_s} kB a second; "
                "send more slowly")
        self._refuse(identity, ProtocolError("rate_limited", text, retryable=True, **_named(message)))

    def _check_payload(self, message: wire.ClientMessage, frames: list[bytes]) -> None:
        if not isinstance(message, wire.Audio):
            if len(frames) > 1:
                raise ProtocolError("unexpected_payload", "only audio has a payload frame")
        elif len(frames) != 2:
            raise ProtocolError("missing_payload", f"audio has one payload frame; {len(frames) - 1} came",
                                **_named(message))

    def _dispatch(self, identity: bytes, message: wire.ClientMessage, frames: list[bytes], grant: Grant) -> Session:
        if isinstance(message, wire.Hello):
            return self._hello(identity, message, grant)
        session = self.sessions.find(identity)
        if session is None:
            raise ProtocolError("no_hello", "say hello first; this connection has no session: the voice was restarted, "
                                "or the session was closed", **_named(message))
        self._check_role(session, message)
        match message:
            case wire.Audio():
                self._audio(session, message, frames[1])
            case wire.End():
                self._desk.end(identity, session.codec.rate_hz, message.turn, self._clock.now_ns())
            case wire.Interrupt():
                self._interrupt(session, message)
            case wire.Pause():
                self._playback.paused_by = identity
            case wire.Resume():
                self._playback.paused_by = None
            case wire.Volume():
                self._playback.set_volume(message.gain, message.fade_ms)
            case wire.Ping():
                self._send(identity, wire.Pong(nonce=message.nonce, now_ns=self._clock.now_ns()))
            case wire.TakeFloor():
                self._floor.take(session, message.queue, self._clock.now_ns())
            case wire.ReleaseFloor():
                self._floor.release(identity)
            case wire.Subscribe():
                self._observers.subscribe(session, message.topics)
            case wire.GetThumbnail():
                self._observers.ask_for_thumbnail(identity, message.width, self._clock.now_ns())
            case wire.Caption():
                self._caption(session, message)
            case _:
                self._express(message)
        return session

    def _check_role(self, session: Session, message: wire.ClientMessage) -> None:
        role = session.role
        refused = (role == "observer" and isinstance(message, _FOR_SPEAKING)) or (
            role == "speaker" and isinstance(message, _FOR_WATCHING))
        if refused:
            raise ProtocolError("not_allowed", f"this client said hello as {role}, which does not permit it",
                                **_named(message))
        if isinstance(message, _NEEDS_FLOOR):
            self._floor.check_may_act(session.identity)

    def _hello(self, identity: bytes, hello: wire.Hello, grant: Grant) -> Session:
        if hello.protocol not in wire.SPOKEN_PROTOCOLS:
            raise ProtocolError("protocol_version", f"protocol {hello.protocol} is not spoken here; "
                                f"spoken: {', '.join(map(str, wire.SPOKEN_PROTOCOLS))}")
        if hello.role not in grant.roles:
            raise ProtocolError("not_allowed", f"the key of this client is not one for the role {hello.role}; it "
                                f"permits {', '.join(sorted(grant.roles)) or 'nothing'}")
        codec = open_codec(hello.encoding, hello.rate_hz)
        if identity not in self.sessions and self.sessions.full(grant.principal):
            raise ProtocolError("too_many_clients", f"at most {self._config.max_clients} clients, "
                                f"{self._config.max_clients_each} of one key", retryable=True)
        if any(turn.owner == identity and not turn.ended for turn in self._desk.turns):
            raise ProtocolError("malformed", "hello came in the middle of a turn; end the turn first")
        self._disown(identity)
        self._give_up_role(identity, hello.role)
        session = self.sessions.open(identity, name=hello.client, role=hello.role, principal=grant.principal,
                                     codec=codec, encoding=hello.encoding, epoch=self._playback.epoch)
        self._observers.leave(identity)  # a session that is opened anew has no subscriptions
        self._counters.count("clients_seen")
        self._send(identity, self._welcome(session))
        return session

    def _disown(self, identity: bytes) -> None:
        """An address that comes again, on a connection of its own, does not inherit what was left behind under it."""
        if identity not in self.sessions:
            heir = self.sessions.nobody()
            self._desk.disown(identity, heir)
            self._floor.disown(identity, heir)

    def _give_up_role(self, identity: bytes, role: wire.Role) -> None:
        """A client that says hello again in another role keeps nothing that only the old one permitted."""
        before = self.sessions.find(identity)
        if before and before.role != role and identity == self._floor.holder:
            self._floor.release(identity)

    def _welcome(self, session: Session) -> wire.Welcome:
        config = self._config
        limits = wire.Limits(
            max_chunk_bytes=wire.MAX_CHUNK_BYTES, max_header_bytes=wire.MAX_HEADER_BYTES,
            max_buffer_ms=config.max_buffer_ms, max_turn_ms=config.max_turn_ms, max_turns=config.max_turns,
            turn_idle_timeout_ms=config.turn_idle_timeout_ms, max_messages_per_s=config.max_messages_per_s,
            max_kb_per_s=config.max_kb_per_s)
        return wire.Welcome(session=session.session, protocol=wire.PROTOCOL_MAJOR, version=__version__,
                            capabilities=CAPABILITIES, rates_hz=wire.RATES_HZ, limits=limits,
                            encodings=spoken_encodings(), floor=self._floor.name)

    def _audio(self, session: Session, audio: wire.Audio, payload: bytes) -> None:
        try:
            self._desk.audio(session.identity, session.codec, audio.turn, audio.seq, payload, self._clock.now_ns())
        except ProtocolError as error:
            error.turn, error.seq = audio.turn, audio.seq
            raise
        self._counters.count(f"audio_bytes_{session.encoding}", len(payload))

    def _interrupt(self, session: Session, message: wire.Interrupt) -> None:
        turns = self._desk.behind(session.identity, message.turn)
        self._playback.interrupt(turns)
        if self._playback.paused_by == session.identity:
            self._playback.paused_by = None
        self._counters.count("interrupts")
        self._send(session.identity, wire.Interrupted(turns=tuple(turn.name for turn in turns)))

    def _caption(self, session: Session, caption: wire.Caption) -> None:
        self._desk.captions.take(session.identity, self._desk.find(session.identity, caption.turn), caption)
        self._observers.captioned(session, caption)

    def _express(self, message: wire.ClientMessage) -> None:
        epoch, now = self._playback.epoch, self.expression
        match message:
            case wire.State():
                now = msgspec.structs.replace(now, state=message.state)
            case wire.Emotion():
                now = msgspec.structs.replace(now, emotion=message.name, intensity=message.intensity)
            case wire.LookAt():
                now = msgspec.structs.replace(now, look_x=message.x, look_y=message.y)
            case wire.Gesture():
                self._publish(bus.GestureCue(epoch=epoch, name=message.name))
                return
        self.expression = msgspec.structs.replace(now, epoch=epoch)
        self._publish(self.expression)

    def _refuse(self, identity: bytes, error: ProtocolError) -> None:
        self._counters.count(f"refused_{error.code}")
        protocols = wire.SPOKEN_PROTOCOLS if error.code == "protocol_version" else ()
        self._send(identity, wire.Error(code=error.code, message=str(error), retryable=error.retryable,
                                        turn=error.turn, seq=error.seq, protocols=protocols))


class _Named(TypedDict):
    turn: str
    seq: int


def _named(message: object) -> _Named:
    """The turn and the sequence number of a message that has them, for the error about it."""
    return {"turn": getattr(message, "turn", None) or "", "seq": getattr(message, "seq", -1)}
