"""The result of a benchmark: named figures, each with its bar."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from mien.motion.interpreter import installed_interpreter


class Row(Struct, frozen=True, kw_only=True):
    """One figure. value: None when it could not be measured; note: the reason and the remedy.

    bar: the required value, None for no requirement. at_most: whether the bar is an upper bound. samples: their number.
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
        """Whether the figure meets its bar; None without a bar, False without a value."""
        if self.bar is None:
            return None
        if self.value is None:
            return False
        return self.value <= self.bar if self.at_most else self.value >= self.bar


class Report(Struct, frozen=True, kw_only=True):
    """The rows of one benchmark with the machine that they were measured on."""

    benchmark: str
    rows: tuple[Row, ...]
    machine: dict[str, str | int]


def percentile_row(
    name: str, values: Sequence[float], percent: float, unit: str = "ms", bar: float | None = None
) -> Row:
    """A row with a percentile of `values`. Without values the figure is None, not zero."""
    value = round(float(np.percentile(values, percent)), 3) if len(values) else None
    return Row(name=name, value=value, unit=unit, bar=bar, samples=len(values))


def median(values: NDArray[np.float64]) -> float:
    """The median, rounded to three decimals."""
    return round(float(np.median(values)), 3)


def machine() -> dict[str, str | int]:
    """A description of this machine, without its host name."""
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
        "interpreter": installed_interpreter(),
        "load": f"{os.getloadavg()[0]:.2f}",
    }
