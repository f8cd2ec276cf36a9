"""Guest time, read from outside the guest: the wall clock counter of the emulated sound card.

Intel High Definition Audio 1.0a, 3.3.16: WALCLK, 32 bits at 24 MHz since the controller's reset. QEMU derives it from
its virtual clock, so under -icount it counts instructions. It wraps around every 179 s.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from hil.errors import RigError

WALCLK: Final = 0x30
PERIOD_TICKS: Final = 2**32
NS_PER_TICK: Final = 1000 / 24
HDA: Final = (0x8086, 0x2668)  # QEMU's intel-hda: vendor, device


class GuestClock:
    """monitor(line), query_pci(): of QEMU. Read at least every 179 s of guest time, or a wrap-around is missed."""

    def __init__(self, monitor: Callable[[str], str], query_pci: Callable[[], list[dict[str, Any]]]) -> None:
        self._monitor = monitor
        self._query_pci = query_pci
        self._address = 0
        self._ticks = 0

    def now_ns(self) -> int:
        """Guest time in ns since about the sound card's reset. Raises RigError before the guest has set up the card."""
        if not self._address:
            self._address = find_bar(self._query_pci())
        found = re.search(r":\s*0x([0-9a-f]+)", self._monitor(f"xp /1wx {self._address + WALCLK:#x}"))
        if found is None:
            raise RigError("clock", "the sound card's counter cannot be read")
        self._ticks = unwrap(self._ticks, int(found.group(1), 16))
        return round(self._ticks * NS_PER_TICK)


def unwrap(before: int, counter: int) -> int:
    """Unwraps a 32-bit counter whose unwrapped value was last `before`."""
    return before + (counter - before) % PERIOD_TICKS


def find_bar(buses: list[dict[str, Any]]) -> int:
    """Address to which the guest mapped the sound card's registers. Raises RigError."""
    for bus in buses:
        for device in bus["devices"]:
            if (device["id"]["vendor"], device["id"]["device"]) == HDA:
                for region in device["regions"]:
                    if region["type"] == "memory" and region["address"] > 0:
                        return int(region["address"])
    raise RigError("clock", "the guest has not set up its sound card")
