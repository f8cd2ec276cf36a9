"""The figures of a run with their bars."""

import math
from collections.abc import Sequence
from typing import NamedTuple


class Figure(NamedTuple):
    """A figure. bar: it must not be higher; None: for information."""

    name: str
    value: float
    unit: str
    bar: float | None = None

    @property
    def fails(self) -> bool:
        """Whether it is above its bar, or was not measured."""
        return self.bar is not None and not self.value <= self.bar


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which this share of them lies; not a number without any."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def text(figures: Sequence[Figure]) -> str:
    """The table."""
    lines = [f"{'':52}{'':>12}  {'bar':>10}"]
    for each in figures:
        bar = "" if each.bar is None else f"{each.bar:g}"
        mark = "  FAILS" if each.fails else ""
        lines.append(f"{each.name:52}{each.value:>12.6g}  {bar:>10} {each.unit}{mark}")
    return "\n".join(lines)
