"""Tells faults of the board from its health: once when they begin, once when they end. Pure."""

import math
from collections.abc import Iterator
from typing import Final

from mien.fleet.event import Fault
from mien.fleet.status import Health

HOT_C: Final = 82.0  # a Pi begins to slow down at 80, and hard at 85
COOL_C: Final = 75.0
FULL: Final = 0.95
ROOMY: Final = 0.90
DAY_S: Final = 86_400.0
ENDS_SOON_S: Final = 14 * DAY_S
_HEAT: Final = frozenset(("throttled", "frequency capped", "soft temperature limit"))


class BoardFaults:
    """Steps with every health report."""

    def __init__(self) -> None:
        self._failed: set[str] = set()

    def step(
        self, health: Health, clock: str, disk: str = "", certificate_ends: float | None = None
    ) -> Iterator[Fault]:
        """The faults that begin or end. clock: as in `status`. disk: why the card takes no events, or "".

        certificate_ends: UTC seconds.
        """
        throttled = frozenset(health.throttled or ())
        yield from self._heat(health, throttled)
        yield from self._change("power", "under-voltage" in throttled, "under-voltage: a stronger supply or cable")
        used = health.disk_used
        full = used is not None and used >= (ROOMY if "disk" in self._failed else FULL)
        yield from self._change("disk", full or bool(disk), disk or f"{100 * (used or 0):.0f} % used")
        left_s = math.inf if None in (certificate_ends, health.at) else (certificate_ends or 0) - (health.at or 0)
        days = f"the board's certificate ends in {left_s / DAY_S:.0f} days" if left_s < ENDS_SOON_S else ""
        yield from self._change("link", bool(days), days)
        yield from self._change("clock", clock == "unset", "the clock is not set: no time server was reached")

    def _heat(self, health: Health, throttled: frozenset[str]) -> Iterator[Fault]:
        hot_c = COOL_C if "heat" in self._failed else HOT_C
        hot = health.temperature_c is not None and health.temperature_c >= hot_c
        what = ", ".join(sorted(throttled & _HEAT)) or f"{health.temperature_c} °C"
        yield from self._change("heat", hot or bool(throttled & _HEAT), what)

    def _change(self, part: str, failed: bool, what: str) -> Iterator[Fault]:
        if failed != (part in self._failed):
            (self._failed.add if failed else self._failed.discard)(part)
            yield Fault(queue="", seq=0, part=part, failed=failed, what=what if failed else "")
