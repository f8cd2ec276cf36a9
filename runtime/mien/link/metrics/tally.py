"""Counters with one label whose values come from others, bounded in number."""

import re
from collections.abc import Iterator
from typing import Final

MOST_VALUES: Final = 24
OTHER: Final = "other"
_PLAIN: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


class Tally:
    """Counts by a label's value. A value that is no plain word, or one too many, counts as `other`."""

    def __init__(self) -> None:
        self._counts: dict[str, float] = {}

    def add(self, value: str, amount: float = 1.0) -> None:
        """amount: not negative."""
        known = value in self._counts
        if not known and (not _PLAIN.fullmatch(value) or len(self._counts) >= MOST_VALUES):
            value = OTHER
        self._counts[value] = self._counts.get(value, 0.0) + amount

    def __iter__(self) -> Iterator[tuple[str, float]]:
        """Each value with its count."""
        return iter(sorted(self._counts.items()))


class Histogram:
    """Cumulative buckets of seconds, as Prometheus counts them."""

    def __init__(self, bounds_s: tuple[float, ...]) -> None:
        self._bounds_s = bounds_s
        self._counts = [0] * (len(bounds_s) + 1)
        self._sum_s = 0.0

    def add(self, value_s: float) -> None:
        """A value, not negative."""
        index = next((i for i, bound in enumerate(self._bounds_s) if value_s <= bound), len(self._bounds_s))
        self._counts[index] += 1
        self._sum_s += value_s

    @property
    def sum_s(self) -> float:
        """The sum of all values."""
        return self._sum_s

    @property
    def buckets(self) -> list[tuple[str, float]]:
        """(upper bound, values up to it), the last bound being +Inf."""
        total, found = 0, []
        for bound, count in zip((*map(str, self._bounds_s), "+Inf"), self._counts, strict=True):
            total += count
            found.append((bound, float(total)))
        return found
