"""The wall clock of a board without a battery: it may be unset, it jumps when the network sets it."""

import time
from collections.abc import Callable
from typing import Final, Literal

BUILT_AFTER: Final = 1_767_225_600.0  # 2026-01-01 UTC: no clock that runs right shows an earlier time to this software


class WallClock:
    """earliest: UTC seconds of this software's build, before which the clock is unset. synchronized: whether the
    network has set it, None if that cannot be known. now_s: for tests."""

    def __init__(
        self, earliest: float, synchronized: Callable[[], bool | None], *, now_s: Callable[[], float] = time.time
    ) -> None:
        self._earliest = max(earliest, BUILT_AFTER)
        self._synchronized = synchronized
        self._now_s = now_s

    def utc(self) -> float | None:
        """UTC seconds, to the ms; None while the clock is not set."""
        now_s = self._now_s()
        return round(now_s, 3) if now_s >= self._earliest else None

    @property
    def state(self) -> Literal["synchronized", "free", "unset"]:
        """As `status` tells it."""
        if self.utc() is None:
            return "unset"
        return "synchronized" if self._synchronized() else "free"
