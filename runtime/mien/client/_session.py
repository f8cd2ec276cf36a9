"""The protocol state of one client's session, without I/O.

The owner of the socket passes incoming messages to `receive`, calls `tick` several times a second, and sends the
messages in `outgoing` in order. Not thread-safe.

    greeting --welcome--> open --lose--> lost --greet--> greeting
        `-----error-----> refused --greet--> greeting        (not after `replaced`: see stays_away)
"""

from __future__ import annotations

from collections import deque
from typing import Final, Literal, TypeAlias

import msgspec
from msgspec import Struct

from mien.client._transmit import Transmitter, TurnState
from mien.client.audio import find_encoding, opus_packets
from mien.core import wire
from mien.errors import ClientError, ProtocolError

SessionState = Literal["greeting", "open", "refused", "lost", "closed"]
EVENTS_KEPT: Final = 1000
HEARD_KEPT: Final = 1000  # 20 s of the customer's sound
LIVE_KEPT: Final = 500  # about 8 s of poses and speech
# Unsolicited errors that end the session. A client that was replaced must not reconnect: two clients would keep
# replacing each other.
_ENDED_FOR_GOOD: Final = frozenset({"replaced", "access_revoked"})
_ENDED: Final = frozenset({"gave_way", "too_slow"})
_REFUSED_UNBEGUN: Final = frozenset({"too_many_turns", "turn_exists", "floor_taken"})


class Disconnected(Struct, frozen=True, kw_only=True, tag_field="type", tag="disconnected"):
    """The voice stopped, restarted, or no longer answers. The client opens a new session when it is back."""

    why: str


class NearEnd(Struct, frozen=True, kw_only=True, tag_field="type", tag="near_end"):
    """20 ms of the customer's cleaned speech at 16 kHz, mono. data: 640 bytes of s16le, or one Opus packet.

    seq: counts blocks of captured sound; a jump is sound that was not sent or was lost. at_ns: when its first frame
    reached the microphone, on the CLOCK_MONOTONIC of the voice's machine. speech: part of an utterance or its pre-roll.
    dropped: blocks that were lost because this client did not read them.
    """

    seq: int
    at_ns: int
    speech: bool
    dropped: int
    data: bytes


class Poses(Struct, frozen=True, kw_only=True, tag_field="type", tag="poses"):
    """Up to three frames as the face showed them. data: for mien.core.pose_frames. The rest is as in the protocol."""

    seq: int
    at_ns: int
    key: bool
    dropped: int
    data: bytes


class HeardSpeech(Struct, frozen=True, kw_only=True, tag_field="type", tag="heard"):
    """20 ms of speech as it is heard at the speaker, mono at 16 kHz. data: 640 bytes of s16le, or one Opus packet.

    first: a stretch begins, with a new encoder. last: it ends. The rest is as in the protocol.
    """

    seq: int
    at_ns: int
    first: bool
    last: bool
    dropped: int
    data: bytes


Live: TypeAlias = Poses | HeardSpeech
Event: TypeAlias = wire.VoiceMessage | Disconnected
Heard: TypeAlias = NearEnd | wire.UserStarted | wire.UserStopped | wire.Ear | wire.BargeIn | Disconnected
_HEARD: Final = (wire.UserStarted, wire.UserStopped, wire.Ear, wire.BargeIn, Disconnected)


class Session:
    """One client's session. where: the endpoint, for messages. patience_s: how long the voice may stay silent.

    Raises ClientError: unsupported_encoding or unsupported_rate when this client cannot send what hello names,
    malformed for a hello that every voice would reject, such as a client name with control characters.
    """

    def __init__(
        self, hello: wire.Hello, *, where: str = "the voice", patience_s: float = 5.0, packets: bool = False
    ) -> None:
        """packets: the caller encodes; this client only sends Opus packets of 20 ms."""
        _encode_checked(hello)
        self.hello = hello
        self.encoding = opus_packets(hello) if packets else find_encoding(hello.encoding, hello.rate_hz)
        self.state: SessionState = "lost"
        self.welcome: wire.Welcome | None = None
        self.refusal: ClientError | None = None
        self.refused_order: ClientError | None = None
        """The newest refusal of a message that belongs to no turn."""
        self.thumbnail: wire.Thumbnail | ClientError | None = None
        """The newest answer to get_thumbnail."""
        self.outgoing: deque[tuple[bytes, ...]] = deque()
        self.events: deque[Event] = deque()
        self.events_dropped = 0
        self.listening: wire.Listen | None = None
        """What this client listens to; a reopened session listens to it again."""
        self.muted = False
        """Whether this client mutes the microphone; a reopened session mutes it again."""
        self.attending: wire.Attend | None = None
        """Who attends through this client; a reopened session shows it again."""
        self.heard: deque[Heard] = deque()
        self.heard_dropped = 0
        self.live: deque[Live] = deque(maxlen=LIVE_KEPT)
        """Poses and heard speech that were subscribed to; the newest are kept."""
        self.unreadable = 0
        self.turns: dict[str, TurnState] = {}
        self._where = where
        self._patience_s = patience_s
        self._heard_at_s = 0.0
        self._pinged_at_s: float | None = None
        self._named = 0
        self.dormant = False
        """Whether the voice gave this session's place to another client: reconnect only when there is something to
        send."""
        self.bye_answered = False
        self._session_before = ""
        self._transmitter = Transmitter(self.turns, hello.rate_hz, self._put, self.encoding.packet_frames)

    @property
    def stays_away(self) -> bool:
        """Whether the voice ended this session for good: do not reconnect."""
        return self.refusal is not None and self.refusal.code in _ENDED_FOR_GOOD

    def greet(self, now_s: float) -> None:
        """Start on a new connection: drop what was queued for the old one and send hello first."""
        self.outgoing.clear()
        self.state, self.refusal, self.dormant = "greeting", None, False
        self._heard_at_s, self._pinged_at_s = now_s, None
        self._put(msgspec.structs.replace(self.hello, replaces=self._session_before))

    def receive(self, frames: list[bytes], now_s: float) -> None:
        """Process one ZeroMQ message. One that cannot be read, such as from a newer voice, is counted and ignored."""
        self._heard_at_s, self._pinged_at_s = now_s, None
        try:
            message = wire.decode_voice(frames[0])
        except ProtocolError:
            self.unreadable += 1
            return
        if isinstance(message, wire.NearEnd):
            self._hear(message, frames)
            return
        if isinstance(message, wire.Poses | wire.Heard):
            self._follow(message, frames)
            return
        self._dispatch(message)
        if not isinstance(message, wire.Pong | wire.Bye):
            self._emit(message)
        if self.state == "open":
            self._transmitter.step()

    def tick(self, now_s: float) -> None:
        """Detect a silent voice: send a ping after half of patience_s, give up after all of it."""
        if self.state not in ("greeting", "open"):
            return
        if self.state == "open":
            self._transmitter.tick(now_s)
            self._transmitter.step()
        silent_s = now_s - (self._heard_at_s if self._pinged_at_s is None else self._pinged_at_s)
        asked = self._pinged_at_s is not None or self.state == "greeting"
        if asked and silent_s >= self._patience_s / (2 if self.state == "open" else 1):
            self.lose(f"{self._where} has not answered for {self._patience_s:g} s; is mien-voice running?")
        elif not asked and silent_s >= self._patience_s / 2:
            self._pinged_at_s = now_s
            self.ping()

    def lose(self, why: str) -> None:
        """The connection was lost: every turn that was begun fails. A turn not yet begun can still be spoken."""
        if self.state in ("lost", "closed"):
            return
        was_open = self.state == "open"
        self.state, self.welcome = "lost", None
        self._fail_turns(why, "unreachable", retryable=True)
        if was_open:
            self._emit(Disconnected(why=why))

    def say_bye(self) -> bool:
        """Send bye if the voice supports it. Returns whether an answer will come."""
        if self.state != "open" or self.welcome is None or "bye" not in self.welcome.capabilities:
            return False
        self._put(wire.Bye())
        return True

    def listen(self, message: wire.Listen) -> None:
        """Begin to keep what is heard in `heard`, or end it with the mode off. Sending the message is the caller's."""
        self.listening = None if message.mode == "off" else message
        self.heard.clear()

    def close(self) -> None:
        """End the session; no other will be opened."""
        self.state = "closed"
        self._fail_turns("the client was closed", "closed", retryable=False)

    def open_turn(self, name: str | None = None) -> TurnState:
        """Create a turn; it begins with its first audio. name: unique in the session; None picks one.

        Raises ClientError (turn_exists, malformed).
        """
        if name is None:
            self._named += 1
            name = f"turn-{self._named}"
        if name in self.turns:
            raise ClientError(
                f"a turn named '{name}' exists already; give each turn its own name",
                code="turn_exists",
                retryable=False,
            )
        _encode_checked(wire.End(turn=name))
        turn = self.turns[name] = TurnState(name, self.encoding.open() if self.encoding.open else None)
        return turn

    def write(self, turn: TurnState, pcm: memoryview) -> int:
        """Send as much of `pcm` (whole samples or packets) as the credit allows. Returns the bytes sent; 0: wait.

        Raises ClientError when the turn accepts no more audio.
        """
        turn.check_open()
        self._check_session()
        return self._transmitter.write(turn, pcm)

    def write_packet(self, turn: TurnState, packet: bytes) -> bool:
        """Send one packet that is encoded already, if the credit allows. Raises ClientError as write()."""
        if not self.encoding.packet_frames:
            raise ClientError(
                "this client sends PCM; connect with encoding='opus' and packets=True",
                code="unsupported_encoding",
                retryable=False,
            )
        turn.check_open()
        self._check_session()
        return self._transmitter.write_packet(turn, packet)

    def has_room(self, turn: TurnState, wanted: int) -> bool:
        """Whether write() would send some of `wanted` bytes now."""
        return self._transmitter.has_room(turn, wanted)

    def owes(self, turn: TurnState) -> bool:
        """Whether the voice still owes this turn a `finished`."""
        return turn.name in self.turns and turn.begun

    def end(self, turn: TurnState) -> None:
        """Mark a turn as complete: `end` is sent once the voice has its audio. Raises ClientError as write()."""
        if turn.end_wanted:
            return
        turn.check_open()
        self._check_session()
        self._transmitter.end(turn)

    def interrupt(self, turn: TurnState | None = None) -> list[TurnState]:
        """Stop this turn and those queued behind it, or all turns. Returns the named turns that were active."""
        stopped = [t for t in self.turns.values() if turn is None or t is turn]
        to_tell = any(t.begun and not t.closing for t in stopped)
        for each in stopped:
            each.closing = True
            each.forget_audio()
            if not each.begun:
                self._finish_unheard(each)
        if to_tell and self.state == "open":
            self._put(wire.Interrupt(turn=None if turn is None else turn.name))
        return stopped

    def send(self, message: wire.ClientMessage) -> None:
        """Queue a message without audio. Raises ClientError (malformed, header_too_large) for one that is invalid."""
        self._check_session()
        self.outgoing.append((_encode_checked(message),))

    def ping(self) -> int:
        """Send a ping. Returns its nonce; the pong has arrived once answered_ping reaches it."""
        return self._transmitter.ping()

    @property
    def answered_ping(self) -> int:
        """The newest nonce that was answered."""
        return self._transmitter.answered_ping

    def credit_ms(self) -> float:
        """How much more audio the voice accepts now, as far as this client knows; 0 without a session."""
        return (
            max(0, self._transmitter.credit.left_frames()) * 1000 / self.hello.rate_hz if self.state == "open" else 0.0
        )

    def _dispatch(self, message: wire.VoiceMessage) -> None:
        match message:
            case wire.Welcome():
                self.state, self.welcome = "open", message
                self._session_before = message.session if "replaces" in message.capabilities else ""
                self._transmitter.open(message.limits)
                self._renew()
            case wire.Started(turn=name) if name in self.turns:
                self.turns[name].started = message
            case wire.Progress(turn=name) | wire.Stalled(turn=name) if name in self.turns:
                self.turns[name].hear(message.played_ms, self.hello.rate_hz)
                self._transmitter.progress(message.credit_ms if isinstance(message, wire.Progress) else 0.0)
            case wire.Rebuffered(turn=name) if name in self.turns:
                self.turns[name].hear(message.played_ms, self.hello.rate_hz)
            case wire.Interrupted(turns=names):
                self._close_turns(names)
            case wire.Finished():
                self._finish(message)
            case wire.Error():
                self._refused(message)
            case wire.Pong(nonce=nonce):
                self._transmitter.pong(nonce)
            case wire.Bye():
                self.bye_answered = True
            case wire.Thumbnail():
                self.thumbnail = message

    def _renew(self) -> None:
        """Ask a new session for what the old one had: listening, the mute and the sign of a person elsewhere, none of
        which may end unnoticed."""
        if self.muted:
            self._put(wire.Mute())
        if self.listening is not None:
            self._put(self.listening)
        if self.attending is not None:
            self._put(self.attending)

    def _hear(self, message: wire.NearEnd, frames: list[bytes]) -> None:
        if self.listening is None or len(frames) != 2:
            self.unreadable += len(frames) != 2
            return
        self._keep(
            NearEnd(
                seq=message.seq, at_ns=message.at_ns, speech=message.speech, dropped=message.dropped, data=frames[1]
            )
        )

    def _follow(self, message: wire.Poses | wire.Heard, frames: list[bytes]) -> None:
        if len(frames) != 2:
            self.unreadable += 1
            return
        kind = Poses if isinstance(message, wire.Poses) else HeardSpeech
        self.live.append(kind(data=frames[1], **msgspec.structs.asdict(message)))

    def _keep(self, heard: Heard) -> None:
        if len(self.heard) == HEARD_KEPT:
            self.heard.popleft()
            self.heard_dropped += 1
        self.heard.append(heard)

    def _close_turns(self, names: tuple[str, ...]) -> None:
        for name in names:
            if name in self.turns:
                self.turns[name].closing = True
                self.turns[name].forget_audio()

    def _finish(self, message: wire.Finished) -> None:
        turn = self.turns.pop(message.turn, None)
        if turn is not None:
            turn.finished = message
            turn.forget_audio()
        self._transmitter.retry()

    def _finish_unheard(self, turn: TurnState) -> None:
        """Finish a turn that the voice never knew: no `finished` will come for it."""
        self._finish(wire.Finished(turn=turn.name, played_ms=0.0, interrupted=True, reason="interrupted"))

    def _refused(self, error: wire.Error) -> None:
        """Apply an error to the session, to a chunk that can be sent again, or to a turn."""
        if self.state == "greeting":
            self.state, self.refusal = "refused", _client_error(error)
        elif error.code in _ENDED_FOR_GOOD:
            self.lose(f"{self._where} has ended this session: {error.message}")
            self.state, self.refusal = "refused", _client_error(error)
        elif error.code in _ENDED:
            self.lose(f"{self._where} has ended this session: {error.message}")
            self.dormant = error.code == "gave_way"
        elif error.code == "no_hello":
            self.lose(f"{self._where} does not know this session: mien-voice was restarted")
        elif error.turn in self.turns:
            self._refused_turn(self.turns[error.turn], error)
        elif error.code == "no_thumbnail":
            self.thumbnail = _client_error(error)
        elif not error.turn:
            self.refused_order = _client_error(error)

    def _refused_turn(self, turn: TurnState, error: wire.Error) -> None:
        if turn.closing and (error.code == "unknown_turn" or (error.seq == 0 and error.code != "repeated")):
            self._finish_unheard(turn)
        if turn.closing or (error.seq < 0 and error.code not in _REFUSED_UNBEGUN):
            return
        if error.seq >= 0 and self._transmitter.refused(turn, error):
            return
        if error.code == "turn_closed" and error.seq > 0 and not turn.end_sent:
            turn.closing = True
        else:
            self._fail(turn, _client_error(error), error.seq)

    def _fail(self, turn: TurnState, error: ClientError, seq: int) -> None:
        turn.error = error
        turn.take_back(max(seq, 0))
        turn.forget_audio()
        if seq <= 0:
            self.turns.pop(turn.name, None)

    def _fail_turns(self, why: str, code: str, *, retryable: bool) -> None:
        for name, turn in list(self.turns.items()):
            if turn.begun:
                heard_ms = turn.heard_frames * 1000 / self.hello.rate_hz
                text = f"turn '{name}' was lost; at least {heard_ms:.0f} ms of it was heard: {why}"
                turn.error = ClientError(text, code=code, retryable=retryable)
                turn.forget_audio()
                del self.turns[name]

    def _check_session(self) -> None:
        if self.state != "open":
            raise ClientError(f"there is no session with {self._where}; is mien-voice running?")

    def _put(self, message: wire.ClientMessage, *payload: bytes) -> None:
        self.outgoing.append((wire.encode(message), *payload))

    def _emit(self, event: Event) -> None:
        if self.listening is not None and isinstance(event, _HEARD):
            self._keep(event)
        if len(self.events) == EVENTS_KEPT:
            self.events.popleft()
            self.events_dropped += 1
        self.events.append(event)


def _encode_checked(message: wire.ClientMessage) -> bytes:
    """Encode and decode as the voice will, so that an invalid field is reported to its caller."""
    try:
        header = wire.encode(message)
        wire.decode_client(header)
    except ProtocolError as error:
        raise ClientError(str(error), code=error.code, retryable=False) from None
    except (TypeError, ValueError, OverflowError) as error:
        raise ClientError(f"this cannot be sent: {error}", code="malformed", retryable=False) from None
    return header


def _client_error(error: wire.Error) -> ClientError:
    spoken = f"; it speaks protocol {', '.join(map(str, error.protocols))}" if error.protocols else ""
    return ClientError(f"{error.message}{spoken}", code=error.code, retryable=error.retryable)
