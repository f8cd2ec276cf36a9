"""The network cable of a board on a bench: the network card of this machine that it is plugged into."""

from typing import Final

from hil.container.net import netem
from hil.contracts import Link
from hil.process import run

PART: Final = "net"


class NicNet:
    """interface: of this machine, with nothing but the board on it. Needs root."""

    def __init__(self, interface: str) -> None:
        self._interface = interface

    def plug(self) -> None:
        """Cable in, nothing in its way."""
        run(PART, "ip", "link", "set", self._interface, "up")
        if "netem" in run(PART, "tc", "qdisc", "show", "dev", self._interface):
            run(PART, "tc", "qdisc", "del", "dev", self._interface, "root")

    def unplug(self) -> None:
        """Cable out: the board loses its carrier where the card switches its transmitter off; ethtool tells."""
        run(PART, "ip", "link", "set", self._interface, "down")

    def shape(self, link: Link) -> None:
        """For packets to the board. Raises RigError when this kernel has no netem."""
        run(PART, "tc", "qdisc", "replace", "dev", self._interface, "root", "netem", *netem(link))
