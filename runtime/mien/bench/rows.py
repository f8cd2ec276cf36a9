"""What a benchmark gives: named figures beside their bars, for people and for machines."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray


class Row(Struct, frozen=True, kw_only=True):
    """One figure. bar: what it must reach, None where there is none. at_most: or else at least. samples: behind it.

    note: why there is no figure, and what would help.
    """

    name: str
    value: float | None
    unit: str
    bar: float | None = None
    at_most: bool = True
    samples: int = 1
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """Whether the bar is reached; None without a bar; False for a figure that could not be had."""
        if self.bar is None:
            return None
        if self.value is None:
            return False
        return self.value <= self.bar if self.at_most else self.value >= self.bar


class Report(Struct, frozen=True, kw_only=True):
    """All rows of one benchmark, and the machine that they were measured on."""

    benchmark: str
    rows: tuple[Row, ...]
    machine: dict[str, str | int]


def percentile_row(
    name: str, values: Sequence[float], percent: float, unit: str = "ms", bar: float | None = None
) -> Row:
    """A percentile of some values; without values the figure is missing, not zero."""
    value = round(float(np.percentile(values, percent)), 3) if len(values) else None
    return Row(name=name, value=value, unit=unit, bar=bar, samples=len(values))


def median(values: NDArray[np.float64]) -> float:
    """The median, rounded to a thousandth."""
    return round(float(np.median(values)), 3)


def machine() -> dict[str, str | int]:
    """What this ran on, without its name."""
    cpu = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
        cpu = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), cpu)
    except OSError:
        pass
    return {
        "cpu": cpu,
        "cores": os.cpu_count() or 0,
        "arch": platform.machine(),
        "python": platform.python_version(),
        "load": f"{os.getloadavg()[0]:.2f}",
    }
