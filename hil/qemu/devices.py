"""What is plugged into the emulated board and pulled out of it: a screen, and a USB sound card."""

import time
from collections.abc import Callable
from typing import Final

from hil.contracts import Console
from hil.errors import RigError
from hil.qemu.qmp import Qmp

CONNECTORS: Final = "/sys/class/drm/card*-*/status"
USB_CARD: Final = "usbcard"
USB_SOUND: Final = "usbsound"  # QEMU's name of what the card plays into


class ScreenCable:
    """The display's cable. resize: gives QEMU's screen a size; without one the graphics card tells the guest that its
    connector is empty, as a real one does when the cable is pulled. size: the screen's own.

    A Pi's driver then looks at its connector by itself. virtio-gpu's leaves that to whoever draws: it is told to.
    """

    def __init__(
        self,
        resize: Callable[[int, int], None],
        console: Console,
        is_on: Callable[[], bool],
        size: tuple[int, int],
        timeout_s: float,
    ) -> None:
        self._resize = resize
        self._console = console
        self._timeout_s = timeout_s
        self._is_on = is_on
        self._size = size
        self.is_in = True

    def plug(self) -> None:
        """Put it in; nothing happens when it is in."""
        if not self.is_in and self._is_on():
            self._resize(*self._size)
            self._look()
        self.is_in = True

    def unplug(self) -> None:
        """Pull it out; a board that is off starts without its screen, once started() is told."""
        self.is_in = False
        if self._is_on():
            self.started()
            self._look()

    def started(self) -> None:
        """The board was switched on, which by itself has its screen."""
        if not self.is_in and self._is_on():
            self._resize(*self._size)  # QEMU forwards changes only, and a card that has just started had no size
            self._resize(0, 0)

    def _look(self) -> None:
        done = self._console.run(f"for at in {CONNECTORS}; do echo detect >$at || exit 1; done", self._timeout_s)
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
