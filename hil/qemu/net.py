"""The emulated board's cable: QEMU's link state, and the guest's own tc-netem for what leaves the board."""

from collections.abc import Callable

from hil.container.net import netem
from hil.contracts import Console, Link
from hil.errors import RigError
from hil.qemu.qmp import Qmp

WAY_OUT = "$(ls /sys/class/net | grep -vx lo | head -n1)"


class QemuNet:
    """qmp: returns the running board's. console: its shell, which does not use the cable."""

    def __init__(self, qmp: Callable[[], Qmp], console: Console, patience: float) -> None:
        self._qmp = qmp
        self._console = console
        self._patience = patience

    def plug(self) -> None:
        """Connect the cable and remove all impairment."""
        self._qmp().run("set_link", name="nic", up=True)
        self._console.run(f"tc qdisc del dev {WAY_OUT} root 2>/dev/null", 20 * self._patience)

    def unplug(self) -> None:
        """Disconnect: the board loses carrier."""
        self._qmp().run("set_link", name="nic", up=False)

    def shape(self, link: Link) -> None:
        """Impair packets that leave the board."""
        words = " ".join(netem(link))
        done = self._console.run(f"tc qdisc replace dev {WAY_OUT} root netem {words}", 20 * self._patience)
        if done.status:
            raise RigError("net", done.output)
