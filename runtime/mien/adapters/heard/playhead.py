"""Where a turn is between two reports of the voice."""

from __future__ import annotations

from typing import Final

BEFORE_MS: Final = -1.0  # the position of a turn of which nothing was heard
TRUSTED_S: Final = 0.3  # a report older than this is not extrapolated further; the voice reports every 200 ms


class Playhead:
    """Extrapolates a position, in ms, from the voice's reports. Times are of any one clock, in s.

    The position stands still while the turn is paused or stalled, and from a report on that shows no advance.
    """

    def __init__(self) -> None:
        self._at_ms = BEFORE_MS
        self._since_s: float | None = None
        self._paused = False
        self.stalled = False
        """Whether the voice has played all that it was given."""

    @property
    def started(self) -> bool:
        """Whether the first sample was heard."""
        return self._at_ms >= 0

    def start(self, now_s: float) -> None:
        """The first sample was heard."""
        if not self.started:
            self._move(0.0, now_s)

    def report(self, played_ms: float, now_s: float) -> None:
        """The voice reported a position. It does so in a pause and in a stall too."""
        if not self.started and played_ms <= 0:
            return
        advanced = played_ms > self._at_ms
        self.stalled = self.stalled and not advanced
        self._at_ms = played_ms
        self._since_s = now_s if advanced and not self._paused else None

    def stall(self, played_ms: float) -> None:
        """Everything sent so far was heard."""
        self._at_ms, self._since_s, self.stalled = played_ms, None, True

    def pause(self, now_s: float) -> None:
        """Hold the position from now on."""
        if not self._paused:
            self._at_ms, self._since_s, self._paused = self._extrapolated(now_s), None, True

    def resume(self, now_s: float) -> None:
        """Continue after pause()."""
        if self._paused:
            self._paused = False
            if self.started and not self.stalled:
                self._move(self._at_ms, now_s)

    def ms(self, now_s: float, most_ms: float) -> float:
        """The position, at most `most_ms`, which is what was sent; BEFORE_MS before the first sample."""
        return min(self._extrapolated(now_s), most_ms) if self.started else BEFORE_MS

    @property
    def moving(self) -> bool:
        """Whether the position is thought to advance."""
        return self._since_s is not None

    def _move(self, at_ms: float, now_s: float) -> None:
        self._at_ms = at_ms
        self._since_s = None if self._paused else now_s

    def _extrapolated(self, now_s: float) -> float:
        if self._since_s is None:
            return self._at_ms
        return self._at_ms + min(max(now_s - self._since_s, 0.0), TRUSTED_S) * 1000
