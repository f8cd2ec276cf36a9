"""The container board's cable: a veth pair. This kernel has no netem, so that it can be pulled and not made bad."""

from collections.abc import Callable
from typing import Final

from hil.contracts import Link
from hil.errors import RigError
from hil.process import run

PART: Final = "net"
HOST_ADDRESS: Final = "169.254.77.1"
BOARD_ADDRESS: Final = "169.254.77.2"


class VethNet:
    """name: the container's. leader: the board's process number 1."""

    def __init__(self, name: str, leader: Callable[[], int]) -> None:
        self._host = f"ve-{name}"
        self._leader = leader

    def plug(self) -> None:
        """Cable in, addresses given."""
        run(PART, "ip", "addr", "replace", f"{HOST_ADDRESS}/30", "dev", self._host)
        run(PART, "ip", "link", "set", self._host, "up")
        inside = ("nsenter", "-t", str(self._leader()), "-n", "ip")
        run(PART, *inside, "addr", "replace", f"{BOARD_ADDRESS}/30", "dev", "host0")
        run(PART, *inside, "link", "set", "host0", "up")

    def unplug(self) -> None:
        """Cable out: the board's end loses its carrier."""
        run(PART, "ip", "link", "set", self._host, "down")

    def shape(self, link: Link) -> None:
        """Raises RigError when the kernel has no netem."""
        run(PART, "tc", "qdisc", "replace", "dev", self._host, "root", "netem", *netem(link))


def netem(link: Link) -> list[str]:
    """tc-netem(8)'s words for a link. Raises RigError for a reordering without a delay, which netem cannot do."""
    if link.reorder and not link.delay_ms:
        raise RigError(PART, "reordering needs a delay: packets can only overtake those that wait")
    words = ["delay", f"{link.delay_ms}ms", f"{link.jitter_ms}ms"]
    if link.loss:
        words += ["loss", f"{100 * link.loss}%"]
    if link.reorder:
        words += ["reorder", f"{100 * link.reorder}%"]
    return words
