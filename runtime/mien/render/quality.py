"""How sharply the face is drawn: tiers, and the choice between them by measured picture times. Pure."""

from dataclasses import dataclass
from typing import Final

from mien.core.stats import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """scale: of the face's own picture against the screen; at 1 it is drawn straight to the screen, with MSAA."""

    name: str
    scale: float


TIERS: Final = (Tier(name="full", scale=1.0), Tier(name="reduced", scale=0.71), Tier(name="low", scale=0.5))

# Judged over this many pictures, the first few after a change left out: drivers compile and allocate in those.
_JUDGED: Final = 90
_SETTLING: Final = 10
_TOO_SLOW: Final = 1.15
# A step down that saves less than this shows that the pixels are not what takes the time.
_HELPED: Final = 0.93
# Windows of good pictures before a step up is tried, doubled each time that one fails; windows after a step down that
# did not help before another is tried.
_PATIENCE: Final = 40
_MOST_PATIENCE: Final = 1280


class QualityGovernor:
    """Steps down when pictures take longer than the budget, and carefully up again. tier: the present one."""

    def __init__(self, budget_ms: float) -> None:
        """budget_ms: what a picture may take, as a rule the display's period."""
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
        """The tier to draw in."""
        return TIERS[self._number]

    def add(self, picture_ms: float) -> Tier:
        """Take the time of one more picture. Returns the tier for the next."""
        if self._to_skip:
            self._to_skip -= 1
            return self.tier
        self._window.add(picture_ms)
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
