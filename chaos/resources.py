"""Resource oracle: memory below the units' limits; no leaked descriptor, thread or child."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chaos.processes import unit_number

Wrong = Callable[[str, str, str], None]

BYTES_A_KIB: Final = 1024
BYTES_A_MB: Final = 1_000_000
SPARE_BYTES: Final = {
    "voice": 24 * BYTES_A_MB,
    "face": 100 * BYTES_A_MB,
    "ear": 24 * BYTES_A_MB,
}  # tolerated above the idle value


@dataclass(frozen=True, slots=True)
class Usage:
    """Usage of one process at one moment. Memory in bytes."""

    rss: int
    pss: int
    descriptors: int
    threads: int
    children: int

    def __str__(self) -> str:
        return (
            f"RSS {self.rss / BYTES_A_MB:.0f} MB, PSS {self.pss / BYTES_A_MB:.0f} MB, {self.descriptors} descriptors, "
            f"{self.threads} threads, {self.children} children"
        )


def read_usage(pid: int) -> Usage | None:
    """Current usage of a process; None if it is gone."""
    folder = Path("/proc", str(pid))
    try:
        rollup = dict(line.split(":") for line in (folder / "smaps_rollup").read_text().splitlines()[1:])
        tasks = list((folder / "task").iterdir())
        children = sum(len((task / "children").read_text().split()) for task in tasks)
        descriptors = len(list((folder / "fd").iterdir()))
    except (OSError, ValueError):
        return None
    if "Rss" not in rollup:
        return None
    return Usage(_bytes(rollup["Rss"]), _bytes(rollup["Pss"]), descriptors, len(tasks), children)


def _bytes(text: str) -> int:
    return int(text.split()[0]) * BYTES_A_KIB


class ResourceOracle:
    """Checks one service. spare: descriptors and threads tolerated above the idle value."""

    def __init__(self, name: str, wrong: Wrong, spare: int = 4) -> None:
        self._name = name
        self._wrong = wrong
        self._spare = spare
        self._memory = unit_number(name, "MemoryMax", 1 << 40)
        self._tasks = unit_number(name, "TasksMax", 10_000)
        self.rest: Usage | None = None
        self.most = Usage(0, 0, 0, 0, 0)

    def take(self, usage: Usage) -> None:
        """Check a sample against the unit's limits."""
        self.most = Usage(*(max(getattr(usage, name), getattr(self.most, name)) for name in Usage.__slots__))
        limit = self._memory / BYTES_A_MB
        for what, size in (("RSS", usage.rss), ("PSS", usage.pss)):
            if size > self._memory:
                self._wrong(
                    "memory",
                    self._name,
                    f"mien-{self._name}: {what} is {size / BYTES_A_MB:.0f} MB, and the unit's "
                    f"limit {limit:.0f} MB ({usage})",
                )
                return
        if usage.threads > self._tasks:
            self._wrong(
                "threads", self._name, f"mien-{self._name}: {usage.threads} threads, the unit's limit is {self._tasks}"
            )

    def set_rest(self, usage: Usage) -> None:
        """Set the idle value: the first one, or a lower one later."""
        if self.rest is None or usage.descriptors < self.rest.descriptors:
            self.rest = usage

    def left_over(self, usage: Usage) -> str:
        """What leaked, in words; "" if nothing."""
        if self.rest is None:
            return ""
        said = [
            f"{getattr(usage, what)} {what} instead of {getattr(self.rest, what)} when idle"
            for what in ("descriptors", "threads")
            if getattr(usage, what) > getattr(self.rest, what) + self._spare
        ]
        if usage.children:
            said.append(f"{usage.children} children")
        kept = usage.rss - self.rest.rss
        if kept > SPARE_BYTES[self._name]:
            said.append(f"{kept / BYTES_A_MB:.0f} MB more RSS than when idle")
        return f"mien-{self._name} has {' and '.join(said)}" if said else ""
