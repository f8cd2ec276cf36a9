"""The container board's cable: a veth pair. Impairment needs a kernel with netem."""

from collections.abc import Callable
from typing import Final

from hil.contracts import Link
from hil.errors import RigError
from hil.process import run

PART: Final = "net"
HOST_ADDRESS: Final = "169.254.77.1"
BOARD_ADDRESS: Final = "169.254.77.2"


class VethNet:
    """name: of the container. leader: returns the board's PID 1."""

    def __init__(self, name: str, leader: Callable[[], int]) -> None:
        self._host = f"ve-{name}"
        self._leader = leader

    def plug(self) -> None:
        """Connect the cable and assign addresses."""
        run(PART, "ip", "addr", "replace", f"{HOST_ADDRESS}/30", "dev", self._host)
        run(PART, "ip", "link", "set", self._host, "up")
        inside = ("nsenter", "-t", str(self._leader()), "-n", "ip")
        run(PART, *inside, "addr", "replace", f"{BOARD_ADDRESS}/30", "dev", "host0")
        run(PART, *inside, "link", "set", "host0", "up")

    def unplug(self) -> None:
        """Disconnect: the board's end loses carrier."""
        run(PART, "ip", "link", "set", self._host, "down")

    def shape(self, link: Link) -> None:
        """Impair the link. Raises RigError if the kernel has no netem."""
        run(PART, "tc", "qdisc", "replace", "dev", self._host, "root", "netem", *netem(link))


def netem(link: Link) -> list[str]:
    """Arguments of tc-netem(8) for a link. Raises RigError for reordering without a delay, which netem cannot do."""
    if link.reorder and not link.delay_ms:
        raise RigError(PART, "reordering needs a delay: packets can only overtake delayed ones")
    words = ["delay", f"{link.delay_ms}ms", f"{link.jitter_ms}ms"]
    if link.loss:
        words += ["loss", f"{100 * link.loss}%"]
    if link.reorder:
        words += ["reorder", f"{100 * link.reorder}%"]
    return words
