"""Records the heat of a board in a thread while it is measured: temperature, frequency, throttling.

Only files of the kernel are read: starting vcgencmd once a second would itself be a load.
"""

import threading
from pathlib import Path
from typing import Final

from mien.bench.board.figures import figure, line
from mien.bench.board.machine import frequencies_mhz
from mien.bench.board.report import Figure, Heat, Throttling
from mien.host.board import hottest_c, power

ROOT: Final = Path("/")
EVERY_S: Final = 1.0
NO_ZONE: Final = "no thermal zone in sysfs"
NO_FREQUENCY: Final = "the kernel does not report the processor's frequency"
NO_POWER: Final = "neither the firmware's get_throttled nor rpi_volt in sysfs"


class HeatLog:
    """Samples once a second between __enter__ and __exit__. root: where to read from."""

    def __init__(self, root: Path = ROOT, every_s: float = EVERY_S) -> None:
        self._root = root
        self._every_s = every_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="heat", daemon=True)
        self._temperatures_c: list[float] = []
        self._frequencies_mhz: list[float] = []
        self._during: set[str] = set()
        self._since_boot: set[str] = set()
        self._source = ""

    def __enter__(self) -> "HeatLog":
        self.sample()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()
        self.sample()

    def sample(self) -> None:
        """Read every sensor once."""
        warm_c = hottest_c(self._root)
        if warm_c is not None:
            self._temperatures_c.append(warm_c)
        self._frequencies_mhz += frequencies_mhz(self._root)
        warnings = power(self._root, vcgencmd=False)
        if warnings is not None:
            self._source = warnings.source
            self._during |= set(warnings.now)
            self._since_boot |= set(warnings.since_boot)

    def heat(self) -> Heat:
        """What was recorded."""
        warm, clocks = self._temperatures_c, self._frequencies_mhz
        return Heat(
            start_c=figure(warm[0] if warm else None, NO_ZONE),
            highest_c=_highest(warm, NO_ZONE),
            end_c=figure(warm[-1] if warm else None, NO_ZONE),
            lowest_mhz=figure(min(clocks, default=None), NO_FREQUENCY),
            highest_mhz=_highest(clocks, NO_FREQUENCY),
            throttling=self._throttling(),
        )

    def _throttling(self) -> Throttling:
        if not self._source:
            return Throttling(during=None, since_boot=None, reason=NO_POWER)
        return Throttling(
            during=tuple(map(line, sorted(self._during))),
            since_boot=tuple(map(line, sorted(self._since_boot))),
            source=self._source,
        )

    def _watch(self) -> None:
        while not self._stopping.wait(self._every_s):
            self.sample()


def _highest(values: list[float], reason: str) -> Figure:
    return figure(max(values, default=None), reason)
