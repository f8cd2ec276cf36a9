"""One segment of speech: its turn in the voice, and what waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from mien.adapters.heard.line import HeardLine
from mien.adapters.heard.playhead import Playhead
from mien.client import AsyncTurn, ClientError

T = TypeVar("T")
LOST: Final = "lost"


@dataclass(frozen=True, slots=True)
class Ended:
    """How a segment ended.

    name: the framework's name for it; None for audio without one. played_ms: heard at the speaker. reason: one of the
    voice's, or `lost` when the voice went away or refused the segment. upto_ms: where a transcript is to be cut, less
    than played_ms after a barge-in. error: why it was lost.
    """

    name: str | None
    played_ms: float
    interrupted: bool
    reason: str
    upto_ms: float = 0.0
    error: ClientError | None = None


class Utterance:
    """What the framework regards as one segment. Longer than a turn may be, it is spoken as several segments.

    whole: the framework has said that no more audio comes. parts: segments that are not over. reported: whether the
    framework was told that it ended.
    """

    def __init__(self, name: str | None) -> None:
        self.name = name
        self.whole = False
        self.parts = 0
        self.heard_ms = 0.0
        self.reported = False


class Segment(Generic[T]):
    """Audio that is one turn of the voice. interruptible: whether an interruption stops it.

    A segment without audio has no turn. line: what waits for it.
    """

    def __init__(self, utterance: Utterance, *, interruptible: bool = True) -> None:
        self.utterance = utterance
        self.interruptible = interruptible
        self.line: HeardLine[T] = HeardLine()
        self.playhead = Playhead()
        self.turn: AsyncTurn | None = None
        self.written_ms = 0.0
        self.written_at_s = 0.0
        self.ended = False
        self.cut = False
        self.forced_ms: float | None = None
        """Where it was when the voice did not answer an interruption."""
        self.error: ClientError | None = None
        self.over = False
        self.kept: list[bytes] = []
        """Its audio, while it may have to be spoken again."""
        self.captions: list[tuple[str, tuple[tuple[str, int, int], ...]]] = []
        """What was not sent yet: text, and words with start and end, ms."""
        self.round = 0
        """How often it was begun again."""

    def position_ms(self, now_s: float) -> float:
        """How much was heard; negative before the first sample."""
        return self.playhead.ms(now_s, self.written_ms)

    def outcome(self) -> Ended | None:
        """How it ended; None while it has not."""
        name, turn = self.utterance.name, self.turn
        if turn is not None and turn.finished is not None:
            done = turn.finished
            heard_ms = done.played_ms if done.barge_in_ms is None else min(done.played_ms, done.barge_in_ms)
            return Ended(name, done.played_ms, done.interrupted, done.reason, heard_ms)
        if self.forced_ms is not None:
            return Ended(name, self.forced_ms, True, "interrupted", self.forced_ms)
        if self.error is not None or (turn is not None and turn.over):
            played_ms = 0.0 if turn is None else turn.played_ms
            return Ended(name, played_ms, True, LOST, played_ms, self.error)
        if turn is None and self.cut:
            return Ended(name, 0.0, True, "interrupted")
        if turn is None and self.ended and not self.written_ms:
            return Ended(name, 0.0, False, "played")
        return None
