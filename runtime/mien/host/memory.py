"""How much memory a process costs."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from mien.core.clock import Clock
from mien.core.stats import Counters
from mien.units import NS_PER_S

EVERY_NS: Final = 10 * NS_PER_S
_BYTES_PER_KIB = 1024
_BYTES_PER_MB = 1_000_000


def pss_mb(pid: int | None = None) -> float:
    """The proportional set size of a process (None: this one), in MB of 10**6 bytes.

    PSS shares every page among the processes that map it, so that the sum over processes is what they cost together.
    Raises OSError when the process is gone, or is somebody else's.
    """
    rollup = Path("/proc", "self" if pid is None else str(pid), "smaps_rollup")
    for line in rollup.read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * _BYTES_PER_KIB / _BYTES_PER_MB
    raise OSError(f"{rollup}: has no Pss line")


def pss_of_files_mb(pid: int, names: tuple[str, ...]) -> float:
    """What of a process's PSS are pages of files whose path has one of `names` in it, in MB. Raises OSError."""
    total, counts = 0, False
    for line in Path("/proc", str(pid), "smaps").read_text().splitlines():
        if line[:1].islower() or line[:1].isdigit():  # a mapping's own line; the figures' lines begin with a capital
            counts = any(name in line for name in names)
        elif counts and line.startswith("Pss:"):
            total += int(line.split()[1])
    return total * _BYTES_PER_KIB / _BYTES_PER_MB


class MemoryGauge:
    """This process's PSS for a report that must never end the service: out of descriptors, /proc cannot be read.

    Then mb() is the last known value (0.0 before the first), and `memory_unread` counts. Measured once in EVERY_NS at
    most: to count the pages of a process takes the kernel milliseconds. measure: the tests hand in another.
    """

    def __init__(self, clock: Clock, counters: Counters, measure: Callable[[], float] = pss_mb) -> None:
        self._clock = clock
        self._counters = counters
        self._measure = measure
        self._due_ns = 0
        self._last_mb = 0.0

    def mb(self) -> float:
        """What the process costs now, in MB of 10**6 bytes, or did when that was last measured. Never raises."""
        now_ns = self._clock.now_ns()
        if now_ns >= self._due_ns:
            self._due_ns = now_ns + EVERY_NS
            try:
                self._last_mb = self._measure()
            except (OSError, ValueError):  # ValueError: a line that is not as proc(5) has it
                self._counters.count("memory_unread")
        return self._last_mb
