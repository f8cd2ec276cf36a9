"""The container board's cable: a veth pair that the rig makes and configures. Impairment needs a kernel with netem."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hil.container.managers import forget, leave_alone
from hil.contracts import Link
from hil.errors import RigError
from hil.process import run

PART: Final = "net"
# Not ve-NAME, as nspawn would call it: systemd-networkd serves DHCP on those.
HOST_END: Final = "mienrig0"
BOARD_END: Final = "host0"
HOST_ADDRESS: Final = "169.254.77.1"
BOARD_ADDRESS: Final = "169.254.77.2"


class VethNet:
    """leader: returns the board's PID 1. A board that was just switched on has no interface until plug()."""

    def __init__(self, leader: Callable[[], int]) -> None:
        self._leader = leader

    def plug(self) -> None:
        """Connect the cable and assign addresses."""
        leader = str(self._leader())
        inside = ("nsenter", "-t", leader, "-n", "ip")
        if subprocess.run([*inside, "link", "show", BOARD_END], check=False, capture_output=True).returncode:
            self._remove()  # of a board that was cut; the kernel takes a moment to
            leave_alone(HOST_END)
            run(PART, "ip", "link", "add", HOST_END, "type", "veth", "peer", "name", BOARD_END, "netns", leader)
        run(PART, "ip", "addr", "replace", f"{HOST_ADDRESS}/30", "dev", HOST_END)
        run(PART, "ip", "link", "set", HOST_END, "up")
        run(PART, *inside, "addr", "replace", f"{BOARD_ADDRESS}/30", "dev", BOARD_END)
        run(PART, *inside, "link", "set", BOARD_END, "up")

    def unplug(self) -> None:
        """Disconnect: the board's end loses carrier."""
        if self._exists():
            run(PART, "ip", "link", "set", HOST_END, "down")

    def shape(self, link: Link) -> None:
        """Impair the link. Raises RigError if the kernel has no netem."""
        run(PART, "tc", "qdisc", "replace", "dev", HOST_END, "root", "netem", *netem(link))

    def close(self) -> None:
        """Remove the cable; may be called twice."""
        self._remove()
        forget()

    def _remove(self) -> None:
        subprocess.run(["ip", "link", "del", HOST_END], check=False, capture_output=True)

    def _exists(self) -> bool:
        return Path(f"/sys/class/net/{HOST_END}").exists()


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
