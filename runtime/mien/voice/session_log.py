"""The session log: every event of every client with its times, one JSON object a line.

    {"utc": "2030-01-02T03:04:05.678Z", "mono_ns": 1, "way": "in" | "out", "session": "", "client": "", "type": ...}

and the fields of the message. What the ear reports (user_started, user_stopped) has the client "mien-ear" and no
session. Not logged: pings, calls, copies for observers and listeners, the text of what agents relay, visitors'
questions, and all chunks of a turn after the first (`finished` says what was heard). Audio is logged only if
configured: each turn then becomes a WAV file, which a line of type "audio_file" names. mien.voice.session_log_writer
writes the lines to disk.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import msgspec

from mien.audio.base import Pcm
from mien.core import wire
from mien.core.clock import Clock
from mien.voice.sessions import Session, Sessions
from mien.voice.turn import Turn

_NOT_LOGGED: Final = (
    wire.Ping,
    wire.Pong,
    wire.Status,
    wire.Outcome,
    wire.Said,
    wire.Levels,
    wire.HealthReport,
    wire.Thumbnail,
    wire.NearEnd,
    wire.Call,
)
EAR: Final = "mien-ear"  # the client of what the ear reports
_ENCODER: Final = msgspec.json.Encoder()


class LogStore(Protocol):
    """Where a session log is written. Neither method blocks."""

    def line(self, line: bytes) -> None:
        """One JSON object."""
        ...

    def audio(self, key: str, rate_hz: int, pcm: Pcm | None) -> None:
        """Append int16 (N,) to the recording `key`. None: the recording is complete."""
        ...


class SessionLog(Protocol):
    """Records what happens in the sessions."""

    def received(self, session: Session, message: wire.ClientMessage) -> None:
        """A message of a client was accepted."""
        ...

    def sent(self, owner: bytes, message: wire.Message) -> None:
        """A message was sent to a client."""
        ...

    def heard(self, message: wire.Message) -> None:
        """The ear has reported an event. Its sound is never recorded."""
        ...

    def left(self, session: Session) -> None:
        """A session ended."""
        ...

    def audio(self, turn: Turn, pcm: Pcm) -> None:
        """A turn received speech, int16 (N,) at the client's rate."""
        ...

    def turn_over(self, turn: Turn) -> None:
        """A turn is finished."""
        ...


class NullSessionLog:
    """Records nothing."""

    def received(self, session: Session, message: wire.ClientMessage) -> None:
        """Nothing."""

    def sent(self, owner: bytes, message: wire.Message) -> None:
        """Nothing."""

    def heard(self, message: wire.Message) -> None:
        """Nothing."""

    def left(self, session: Session) -> None:
        """Nothing."""

    def audio(self, turn: Turn, pcm: Pcm) -> None:
        """Nothing."""

    def turn_over(self, turn: Turn) -> None:
        """Nothing."""


class JsonSessionLog:
    """Writes messages as lines. utc_s: the wall clock, seconds since 1970. audio: whether to record turns."""

    def __init__(
        self, *, sessions: Sessions, clock: Clock, store: LogStore, utc_s: Callable[[], float], audio: bool
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._store = store
        self._utc_s = utc_s
        self._keep_audio = audio
        self._recordings: dict[Turn, str] = {}
        self._recorded = 0

    def received(self, session: Session, message: wire.ClientMessage) -> None:
        """See SessionLog."""
        if not isinstance(message, _NOT_LOGGED) and getattr(message, "seq", 0) == 0:
            self._write("in", session, msgspec.to_builtins(_kept(message, session.name)))

    def sent(self, owner: bytes, message: wire.Message) -> None:
        """See SessionLog."""
        if not isinstance(message, _NOT_LOGGED):
            self._write("out", self._sessions.find(owner), msgspec.to_builtins(_kept(message, "")))

    def heard(self, message: wire.Message) -> None:
        """See SessionLog."""
        self._write("in", None, {**msgspec.to_builtins(message), "client": EAR})

    def left(self, session: Session) -> None:
        """See SessionLog."""
        self._write("in", session, {"type": "gone"})

    def audio(self, turn: Turn, pcm: Pcm) -> None:
        """See SessionLog."""
        if not self._keep_audio:
            return
        if turn not in self._recordings:
            self._recorded += 1
            session = self._sessions.find(turn.owner)
            self._recordings[turn] = key = f"{session.session if session else 'gone'}-{self._recorded}.wav"
            self._write("in", session, {"type": "audio_file", "turn": turn.name, "file": key})
        self._store.audio(self._recordings[turn], turn.rate_hz, pcm)

    def turn_over(self, turn: Turn) -> None:
        """See SessionLog."""
        key = self._recordings.pop(turn, None)
        if key is not None:
            self._store.audio(key, turn.rate_hz, None)

    def _write(self, way: str, session: Session | None, fields: dict[str, Any]) -> None:
        utc = datetime.fromtimestamp(self._utc_s(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        head = {
            "utc": utc,
            "mono_ns": self._clock.now_ns(),
            "way": way,
            "session": session.session if session else "",
            "client": session.name if session else "",
        }
        self._store.line(_ENCODER.encode({**head, **fields}))


def _kept(message: wire.Message, client: str) -> wire.Message:
    """The message of this client without what was relayed in confidence, and without a visitor's questions."""
    match message:
        case wire.Relay() | wire.Relayed():
            return msgspec.structs.replace(message, text="")
        case wire.Visit():
            return msgspec.structs.replace(message, questions=(), client=client)
    return message
