"""A bench board's network cable: the interface of this machine that it is connected to."""

from typing import Final

from hil.container.net import netem
from hil.contracts import Link
from hil.process import run

PART: Final = "net"


class NicNet:
    """interface: of this machine, connected to the board only. Needs root."""

    def __init__(self, interface: str) -> None:
        self._interface = interface

    def plug(self) -> None:
        """Connect the cable and remove all impairment."""
        run(PART, "ip", "link", "set", self._interface, "up")
        if "netem" in run(PART, "tc", "qdisc", "show", "dev", self._interface):
            run(PART, "tc", "qdisc", "del", "dev", self._interface, "root")

    def unplug(self) -> None:
        """Disconnect. The board loses carrier if the interface turns its transmitter off: check with ethtool."""
        run(PART, "ip", "link", "set", self._interface, "down")

    def shape(self, link: Link) -> None:
        """Impair packets to the board. Raises RigError if this kernel has no netem."""
        run(PART, "tc", "qdisc", "replace", "dev", self._interface, "root", "netem", *netem(link))
