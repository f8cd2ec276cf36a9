"""The session log: every event of every client with its times, one JSON object a line.

    {"utc": "2030-01-02T03:04:05.678Z", "mono_ns": 1, "way": "in" | "out", "session": "", "client": "", "type": ...}

and the fields of the message. Left out: pings, what observers are told again, and all but the first chunk of a turn
(`finished` says what was heard). Never audio, unless configured: then each turn's is kept as a WAV file, and a line of
type "audio_file" names it. This part makes the lines; mien.voice.journal_writer brings them to disk.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Protocol

import msgspec

from mien.core import wire
from mien.core.clock import Clock
from mien.voice.pcm import Pcm
from mien.voice.sessions import Session, Sessions
from mien.voice.turn import Turn

_NOT_KEPT: Final = (
    wire.Ping,
    wire.Pong,
    wire.Status,
    wire.Outcome,
    wire.Said,
    wire.Levels,
    wire.HealthReport,
    wire.Thumbnail,
)
_ENCODER: Final = msgspec.json.Encoder()


class Shelf(Protocol):
    """Where the journal goes. Neither method blocks."""

    def line(self, line: bytes) -> None:
        """One JSON object."""
        ...

    def audio(self, key: str, rate_hz: int, pcm: Pcm | None) -> None:
        """More of the recording `key`, int16 (N,); None: it is complete."""
        ...


class Journal:
    """Turns messages into lines. utc_s: the wall clock, seconds since 1970."""

    def __init__(
        self, *, sessions: Sessions, clock: Clock, shelf: Shelf, utc_s: Callable[[], float], audio: bool
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._shelf = shelf
        self._utc_s = utc_s
        self._keep_audio = audio
        self._recordings: dict[Turn, str] = {}
        self._recorded = 0

    def received(self, session: Session, message: wire.ClientMessage) -> None:
        """A client sent something that was taken."""
        if not isinstance(message, _NOT_KEPT) and getattr(message, "seq", 0) == 0:
            self._write("in", session, msgspec.to_builtins(message))

    def sent(self, owner: bytes, message: wire.Message) -> None:
        """A client was told something."""
        if not isinstance(message, _NOT_KEPT):
            self._write("out", self._sessions.find(owner), msgspec.to_builtins(message))

    def left(self, session: Session) -> None:
        """A client is gone."""
        self._write("in", session, {"type": "gone"})

    def heard_audio(self, turn: Turn, pcm: Pcm) -> None:
        """A turn got some speech, at the client's rate."""
        if not self._keep_audio:
            return
        if turn not in self._recordings:
            self._recorded += 1
            session = self._sessions.find(turn.owner)
            self._recordings[turn] = key = f"{session.session if session else 'gone'}-{self._recorded}.wav"
            self._write("in", session, {"type": "audio_file", "turn": turn.name, "file": key})
        self._shelf.audio(self._recordings[turn], turn.rate_hz, pcm)

    def turn_over(self, turn: Turn) -> None:
        """No more of this turn will come."""
        key = self._recordings.pop(turn, None)
        if key is not None:
            self._shelf.audio(key, turn.rate_hz, None)

    def _write(self, way: str, session: Session | None, fields: dict[str, Any]) -> None:
        utc = datetime.fromtimestamp(self._utc_s(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        head = {
            "utc": utc,
            "mono_ns": self._clock.now_ns(),
            "way": way,
            "session": session.session if session else "",
            "client": session.name if session else "",
        }
        self._shelf.line(_ENCODER.encode({**head, **fields}))
