"""Render quality: chooses a resolution tier from measured frame times. Pure."""

from dataclasses import dataclass
from typing import Final

from mien.core.stats import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """scale: of the face's resolution relative to the screen; at 1 it is drawn directly to the screen, with MSAA."""

    name: str
    scale: float


TIERS: Final = (Tier(name="full", scale=1.0), Tier(name="reduced", scale=0.71), Tier(name="low", scale=0.5))

# Frames per decision, and frames skipped after a change, during which drivers compile and allocate.
_JUDGED: Final = 90
_SETTLING: Final = 10
_TOO_SLOW: Final = 1.15
# If a step down saves less than this, the number of pixels is not the bottleneck.
_HELPED: Final = 0.93
# Good windows before a step up is tried, doubled each time one fails; also windows to wait after a step down that did
# not help.
_PATIENCE: Final = 40
_MOST_PATIENCE: Final = 1280


class QualityGovernor:
    """Steps down when frames exceed the budget, and cautiously up again."""

    def __init__(self, budget_ms: float) -> None:
        """budget_ms: for one frame, usually the display's period."""
        self._budget_ms = budget_ms
        self._window = Window(_JUDGED)
        self._number = 0
        self._to_skip = _SETTLING
        self._slower_ms: float | None = None
        self._good_windows = 0
        self._patience = _PATIENCE
        self._trying_up = False
        self._blocked = 0

    @property
    def tier(self) -> Tier:
        """The current tier."""
        return TIERS[self._number]

    def add(self, frame_ms: float) -> Tier:
        """Take the duration of one frame. Returns the tier for the next."""
        if self._to_skip:
            self._to_skip -= 1
            return self.tier
        self._window.add(frame_ms)
        if len(self._window) == _JUDGED:
            median_ms = self._window.percentile(50)
            self._window.clear()
            self._judge(median_ms or 0.0)
        return self.tier

    def _judge(self, median_ms: float) -> None:
        before_ms, self._slower_ms = self._slower_ms, None
        tried_up, self._trying_up = self._trying_up, False
        self._blocked = max(0, self._blocked - 1)
        if before_ms is not None and median_ms > before_ms * _HELPED:
            self._blocked = _PATIENCE
            self._move(-1)
        elif median_ms <= self._budget_ms * _TOO_SLOW:
            self._wait_for_better()
        else:
            self._good_windows = 0
            if tried_up:
                self._patience = min(2 * self._patience, _MOST_PATIENCE)
            if not self._blocked and self._number + 1 < len(TIERS):
                self._slower_ms = median_ms
                self._move(+1)

    def _wait_for_better(self) -> None:
        self._good_windows += 1
        if self._number and self._good_windows >= self._patience:
            self._trying_up = True
            self._good_windows = 0
            self._move(-1)

    def _move(self, step: int) -> None:
        self._number += step
        self._to_skip = _SETTLING
