"""Statistics over a bounded window, for health reports."""

import numpy as np
from numpy.typing import NDArray

from mien.core.counters import Counters

__all__ = ["Counters", "Window"]


class Window:
    """The newest `capacity` values of one measurement. Allocates nothing after construction."""

    def __init__(self, capacity: int) -> None:
        self._values: NDArray[np.float64] = np.zeros(capacity)
        self._count = 0

    def add(self, value: float) -> None:
        """Add a value; the oldest is dropped."""
        self._values[self._count % len(self._values)] = value
        self._count += 1

    def clear(self) -> None:
        """Drop all values."""
        self._count = 0

    def __len__(self) -> int:
        return min(self._count, len(self._values))

    def percentile(self, percent: float) -> float | None:
        """A percentile of the kept values, or None without values."""
        return float(np.percentile(self._values[: len(self)], percent)) if self._count else None

    def median_and_abs_p95(self) -> tuple[float, float] | None:
        """The median and the 95th percentile of the absolute values, or None without values."""
        if not self._count:
            return None
        values = self._values[: len(self)]
        return float(np.median(values)), float(np.percentile(np.abs(values), 95))
