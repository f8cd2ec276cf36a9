"""After a stall: how much speech to wait for before a turn goes on, and what its client is told of it.

A source that is a little slower than speech would otherwise stall at every chunk. Each stall that follows soon after
the last doubles the cushion, and with it how long the speech then lasts.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

from mien.core import wire
from mien.units import NS_PER_S, frames_to_ms
from mien.voice.turn import Turn

CALM_NS: Final = 10 * NS_PER_S  # heard without a stall: the source keeps up again, and the cushion is small again
HELD_BACK_MS: Final = 5  # of the newest chunk by the resampler, which counts as in hand
PATIENCE_NS: Final = NS_PER_S  # the longest that speech in hand waits for more


class Rebuffer:
    """For the turn that is open. Frames are the outlet's; the cushion starts at first_ms and grows up to most_ms."""

    def __init__(self, first_ms: int, most_ms: int, rate_hz: int) -> None:
        self._first_ms = min(first_ms, most_ms)
        self._most_ms = most_ms
        self._rate_hz = rate_hz
        self._news: deque[tuple[int, Turn, float | None, float]] = deque()
        self.begin()

    def begin(self) -> None:
        """Another turn opens, perhaps from another source."""
        self._cushion_ms = 0
        self._dry_frame = 0
        self._speech_since_ns: int | None = None
        self._went_on_ns = 0

    def ran_dry(self, turn: Turn, frame: int, now_ns: int) -> None:
        """The turn has no more speech, and its last was written just before this frame."""
        turn.stalled = True
        calm = now_ns - self._went_on_ns >= CALM_NS
        self._cushion_ms = self._first_ms if calm or not self._cushion_ms else min(self._most_ms, 2 * self._cushion_ms)
        self._dry_frame = frame
        self._speech_since_ns = None
        self._news.append((frame, turn, None, 0.0))

    def waits(self, turn: Turn, now_ns: int) -> bool:
        """Whether a turn that stalled needs more speech in hand before it goes on. Never for long, nor for its end."""
        if turn.ended or self._ms(len(turn.pcm)) + HELD_BACK_MS >= self._cushion_ms:
            return False
        if self._speech_since_ns is None:
            self._speech_since_ns = now_ns if len(turn.pcm) else None
        return self._speech_since_ns is None or now_ns - self._speech_since_ns < PATIENCE_NS

    def goes_on(self, turn: Turn, frame: int, in_hand: int, now_ns: int) -> None:
        """The turn's speech is written again, from this frame on, with so many frames in hand."""
        turn.stalled = False
        self._went_on_ns = now_ns
        self._news.append((frame + 1, turn, self._ms(frame - self._dry_frame), self._ms(in_hand)))

    def heard(self, position: int) -> Iterator[tuple[bytes, wire.Message]]:
        """What is to be told, and to whom, when all up to this frame was heard."""
        while self._news and self._news[0][0] <= position:
            _, turn, stood_ms, cushion_ms = self._news.popleft()
            played_ms = round(turn.played_ms, 3)
            if turn.interrupted:
                continue
            if stood_ms is None:
                yield turn.owner, wire.Stalled(turn=turn.name, played_ms=played_ms)
            else:
                yield (
                    turn.owner,
                    wire.Rebuffered(
                        turn=turn.name,
                        played_ms=played_ms,
                        stood_ms=round(stood_ms, 3),
                        cushion_ms=round(cushion_ms, 3),
                    ),
                )

    def _ms(self, frames: int) -> float:
        return frames_to_ms(frames, self._rate_hz)
