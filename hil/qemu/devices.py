"""What is plugged into the emulated board and pulled out of it: a screen, and a USB sound card."""

import time
from collections.abc import Callable
from typing import Final

from hil.contracts import Console
from hil.errors import RigError
from hil.qemu.qmp import Qmp

USB_CARD: Final = "usbcard"
USB_SOUND: Final = "usbsound"  # QEMU's name of what the card plays into
CONNECTORS: Final = "/sys/class/drm/card*-*/status"


class ScreenCable:
    """The display's cable. QEMU's graphics cards cannot be unplugged: the kernel is told that the connector is empty,
    which is what a service sees when a cable is pulled (the connector's status, and a hotplug event)."""

    def __init__(self, console: Console, is_on: Callable[[], bool], timeout_s: float) -> None:
        self._console = console
        self._is_on = is_on
        self._timeout_s = timeout_s
        self.is_in = True

    def plug(self) -> None:
        """Put it in; a board that starts has it in."""
        if not self.is_in and self._is_on():
            self._force("detect")
        self.is_in = True

    def unplug(self) -> None:
        """Pull it out of a board that is on."""
        self._force("off")
        self.is_in = False

    def _force(self, status: str) -> None:
        done = self._console.run(f"for at in {CONNECTORS}; do echo {status} >$at || exit 1; done", self._timeout_s)
        if done.status:
            raise RigError("screen", done.output)


class UsbSoundCard:
    """A sound card on the emulated USB, in and out while the board runs."""

    def __init__(self, qmp: Callable[[], Qmp], timeout_s: float) -> None:
        self._qmp = qmp
        self._timeout_s = timeout_s

    def plug(self) -> None:
        """Put it in; nothing happens when it is in."""
        if not self.is_in():
            self._qmp().run("device_add", driver="usb-audio", id=USB_CARD, audiodev=USB_SOUND)

    def unplug(self) -> None:
        """Pull it out; nothing happens when it is out. Raises RigError."""
        if self.is_in():
            self._qmp().run("device_del", id=USB_CARD)
        deadline = time.monotonic() + self._timeout_s
        while self.is_in():
            if time.monotonic() > deadline:
                raise RigError("sound card", "it could not be pulled out")
            time.sleep(0.1)

    def is_in(self) -> bool:
        """Whether it is plugged in, as QEMU tells."""
        return f"ID: {USB_CARD}" in self._qmp().monitor("info usb")
