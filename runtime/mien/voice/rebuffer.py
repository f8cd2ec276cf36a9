"""Rebuffering after a stall: how much speech to wait for before a turn continues.

A source that is a little slower than real time would otherwise stall at every chunk. Each stall that soon follows
another doubles the cushion.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

from mien.core import wire
from mien.units import NS_PER_S, frames_to_ms
from mien.voice.turn import Turn

CALM_NS: Final = 10 * NS_PER_S  # without a stall: the source keeps up, and the cushion is small again
HELD_BACK_MS: Final = 5  # of the newest chunk by the resampler; it counts as buffered
LEAST_MS: Final = 10  # less is not worth a join, which fades in over fade_ms
PATIENCE_NS: Final = NS_PER_S  # the longest that buffered speech waits for more


class Rebuffer:
    """For the open turn. Frames are those of the device stream. The cushion grows from first_ms up to max_ms."""

    def __init__(self, first_ms: int, max_ms: int, rate_hz: int) -> None:
        self._first_ms = min(first_ms, max_ms)
        self._max_ms = max_ms
        self._rate_hz = rate_hz
        self._events: deque[tuple[int, Turn, float | None, float]] = deque()
        self.begin()

    def begin(self) -> None:
        """Another turn opens."""
        self._cushion_ms = 0
        self._dry_frame = 0
        self._waiting_since_ns: int | None = None
        self._resumed_ns = 0

    def ran_dry(self, turn: Turn, frame: int, now_ns: int) -> None:
        """The turn has no more speech; its last frame was written just before this one."""
        calm = now_ns - self._resumed_ns >= CALM_NS
        self._cushion_ms = self._first_ms if calm or not self._cushion_ms else min(self._max_ms, 2 * self._cushion_ms)
        self._dry_frame = frame
        self._waiting_since_ns = None
        self._events.append((frame, turn, None, 0.0))

    def waits(self, turn: Turn, now_ns: int) -> bool:
        """Whether a stalled turn waits for more speech. Never after its end, nor for longer than PATIENCE_NS."""
        if turn.ended or self._ms(len(turn.pcm)) + HELD_BACK_MS >= self._cushion_ms:
            return False
        if self._ms(len(turn.pcm)) < LEAST_MS:
            return True
        if self._waiting_since_ns is None:
            self._waiting_since_ns = now_ns
        return now_ns - self._waiting_since_ns < PATIENCE_NS

    def resumed(self, turn: Turn, frame: int, buffered: int, now_ns: int) -> None:
        """The turn is written again from this frame on, with `buffered` frames queued."""
        self._resumed_ns = now_ns
        self._events.append((frame + 1, turn, self._ms(frame - self._dry_frame), self._ms(buffered)))

    def heard(self, position: int) -> Iterator[tuple[bytes, wire.Message]]:
        """(owner, message) for everything that was heard up to this frame."""
        while self._events and self._events[0][0] <= position:
            _, turn, stalled_ms, cushion_ms = self._events.popleft()
            played_ms = round(turn.played_ms, 3)
            if turn.interrupted:
                continue
            if stalled_ms is None:
                yield turn.owner, wire.Stalled(turn=turn.name, played_ms=played_ms)
            else:
                yield (
                    turn.owner,
                    wire.Rebuffered(
                        turn=turn.name,
                        played_ms=played_ms,
                        stood_ms=round(stalled_ms, 3),
                        cushion_ms=round(cushion_ms, 3),
                    ),
                )

    def _ms(self, frames: int) -> float:
        return frames_to_ms(frames, self._rate_hz)
