"""Makes the figures of a report from measurements, rounded."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from mien.bench.board.report import Fact, Figure, Spread
from mien.printable import one_line

DIGITS: Final = 3
MAX_LINE: Final = 300


def line(text: str) -> str:
    """Text from outside as one line that fits a cell of a table."""
    return one_line(text.replace("|", "/"), MAX_LINE)


def fact(value: str, reason: str) -> Fact:
    """The value, or None with the reason if it is empty."""
    text = line(value)
    return Fact(value=text) if text else Fact(value=None, reason=line(reason))


def figure(value: float | None, reason: str, digits: int = 1) -> Figure:
    """The value, or None with the reason."""
    return Figure(value=None, reason=line(reason)) if value is None else Figure(value=round(float(value), digits))


def spread(values: Sequence[float], reason: str) -> Spread:
    """Percentiles of the finite values, or None with the reason if there are none."""
    found = [value for value in values if np.isfinite(value)]
    if not found:
        return Spread(p50=None, p95=None, p99=None, samples=0, reason=line(reason))
    p50, p95, p99 = (round(float(value), DIGITS) for value in np.percentile(found, (50, 95, 99)))
    return Spread(p50=p50, p95=p95, p99=p99, samples=len(found))
