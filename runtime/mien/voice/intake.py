"""Intake: what clients send, checked at this border, once, and turned into work for the desk and the playback.

Pure: bytes in, messages out through `send`. A message that breaks the protocol is answered with `error` and counted,
and changes nothing else.
"""

from collections.abc import Callable

import msgspec
import numpy as np

from mien import __version__
from mien.config import VoiceConfig
from mien.core import bus, wire
from mien.core.clock import Clock
from mien.core.stats import Counters
from mien.errors import ProtocolError
from mien.voice.desk import Desk
from mien.voice.pcm import Pcm
from mien.voice.playback import Playback, Send
from mien.voice.sessions import Session, Sessions

CAPABILITIES = ("interrupt", "pause", "volume", "state", "emotion", "gesture", "look_at", "caption")
Publish = Callable[[bus.BusMessage], None]


class Intake:
    """Handles one client message at a time. publish(message) takes what concerns the face to the bus."""

    def __init__(self, *, config: VoiceConfig, sessions: Sessions, desk: Desk, playback: Playback, clock: Clock,
                 counters: Counters, send: Send, publish: Publish) -> None:
        self._config = config
        self._desk = desk
        self._playback = playback
        self._clock = clock
        self._counters = counters
        self._send = send
        self._publish = publish
        self.sessions = sessions
        self.expression = bus.Expression(epoch=0)

    def handle(self, identity: bytes, frames: list[bytes]) -> None:
        """Take one message of a client: its header frame and what followed. Never raises for what a client sent."""
        self._counters.count("messages")
        try:
            message = wire.decode_client(frames[0] if frames else b"")
            self._check_payload(message, frames)
            self._dispatch(identity, message, frames)
        except ProtocolError as error:
            self._refuse(identity, error)

    def leave(self, identity: bytes) -> None:
        """A client's connection is gone."""
        if self.sessions.close(identity):
            self._counters.count("clients_gone")
            self._desk.leave(identity)

    def _check_payload(self, message: wire.ClientMessage, frames: list[bytes]) -> None:
        if not isinstance(message, wire.Audio):
            if len(frames) > 1:
                raise ProtocolError("unexpected_payload", "only audio has a payload frame")
        elif len(frames) != 2:
            raise ProtocolError("missing_payload", f"audio has one payload frame; {len(frames) - 1} came",
                                turn=message.turn, seq=message.seq)

    def _dispatch(self, identity: bytes, message: wire.ClientMessage, frames: list[bytes]) -> None:
        if isinstance(message, wire.Hello):
            return self._hello(identity, message)
        session = self.sessions.find(identity)
        if session is None:
            raise ProtocolError("no_hello", "say hello first; the daemon may have been restarted",
                                turn=getattr(message, "turn", None) or "", seq=getattr(message, "seq", -1))
        match message:
            case wire.Audio():
                self._audio(session, message, frames[1])
            case wire.End():
                self._desk.end(identity, session.rate_hz, message.turn, self._clock.now_ns())
            case wire.Interrupt():
                self._interrupt(session, message)
            case wire.Pause():
                self._playback.paused = True
            case wire.Resume():
                self._playback.paused = False
            case wire.Volume():
                self._playback.set_volume(message.gain, message.fade_ms)
            case wire.Ping():
                self._send(identity, wire.Pong(nonce=message.nonce, now_ns=self._clock.now_ns()))
            case _:
                self._express(message)
        return None

    def _hello(self, identity: bytes, hello: wire.Hello) -> None:
        if hello.protocol not in wire.SPOKEN_PROTOCOLS:
            raise ProtocolError("protocol_version", f"protocol {hello.protocol} is not spoken here; "
                                f"spoken: {', '.join(map(str, wire.SPOKEN_PROTOCOLS))}")
        if hello.rate_hz not in wire.RATES_HZ:
            raise ProtocolError("unsupported_rate", f"rate_hz {hello.rate_hz} is not one of "
                                f"{', '.join(map(str, wire.RATES_HZ))}")
        if hello.encoding != "s16le":
            raise ProtocolError("unsupported_encoding", f"encoding '{hello.encoding[:40]}' is not s16le")
        if identity not in self.sessions and self.sessions.full:
            raise ProtocolError("too_many_clients", f"at most {self._config.max_clients} clients", retryable=True)
        if any(turn.owner == identity and not turn.ended for turn in self._desk.turns):
            raise ProtocolError("malformed", "hello came in the middle of a turn; end the turn first")
        session = self.sessions.open(identity, hello.client, hello.role, hello.rate_hz, self._playback.epoch)
        self._counters.count("clients_seen")
        self._send(identity, self._welcome(session))

    def _welcome(self, session: Session) -> wire.Welcome:
        config = self._config
        limits = wire.Limits(
            max_chunk_bytes=wire.MAX_CHUNK_BYTES, max_header_bytes=wire.MAX_HEADER_BYTES,
            max_buffer_ms=config.max_buffer_ms, max_turn_ms=config.max_turn_ms, max_turns=config.max_turns,
            turn_idle_timeout_ms=config.turn_idle_timeout_ms)
        return wire.Welcome(session=session.session, protocol=wire.PROTOCOL_MAJOR, version=__version__,
                            capabilities=CAPABILITIES, rates_hz=wire.RATES_HZ, limits=limits)

    def _audio(self, session: Session, audio: wire.Audio, payload: bytes) -> None:
        pcm = self._check_pcm(audio, payload)
        self._desk.audio(session.identity, session.rate_hz, audio.turn, audio.seq, pcm, self._clock.now_ns())
        self._counters.count("audio_bytes", len(payload))

    def _check_pcm(self, audio: wire.Audio, payload: bytes) -> Pcm:
        if len(payload) > wire.MAX_CHUNK_BYTES:
            raise ProtocolError("chunk_too_large", f"{len(payload)} bytes; at most {wire.MAX_CHUNK_BYTES} a chunk",
                                turn=audio.turn, seq=audio.seq)
        if len(payload) % 2:
            raise ProtocolError("odd_bytes", f"{len(payload)} bytes are not whole 16-bit samples",
                                turn=audio.turn, seq=audio.seq)
        return np.frombuffer(payload, dtype="<i2").astype(np.int16, copy=False)

    def _interrupt(self, session: Session, message: wire.Interrupt) -> None:
        turns = self._desk.behind(session.identity, message.turn)
        self._playback.interrupt(turns)
        self._counters.count("interrupts")
        self._send(session.identity, wire.Interrupted(turns=tuple(turn.name for turn in turns)))

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
            case wire.Caption():
                words = tuple((word.text, word.start_ms, word.end_ms) for word in message.words)
                self._publish(bus.CaptionCue(epoch=epoch, turn=message.turn, text=message.text, words=words))
                return
        self.expression = msgspec.structs.replace(now, epoch=epoch)
        self._publish(self.expression)

    def _refuse(self, identity: bytes, error: ProtocolError) -> None:
        self._counters.count(f"refused_{error.code}")
        protocols = wire.SPOKEN_PROTOCOLS if error.code == "protocol_version" else ()
        self._send(identity, wire.Error(code=error.code, message=str(error), retryable=error.retryable,
                                        turn=error.turn, seq=error.seq, protocols=protocols))
