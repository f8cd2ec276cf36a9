"""Hot-pluggable devices of the emulated board: a screen, a USB sound card."""

import time
from collections.abc import Callable
from typing import Final

from hil.contracts import Console
from hil.errors import RigError
from hil.qemu.qmp import Qmp

CONNECTORS: Final = "/sys/class/drm/card*-*/status"
USB_CARD: Final = "usbcard"
USB_SOUND: Final = "usbsound"  # QEMU's name of the card's audio backend


class ScreenCable:
    """The display's cable. resize: sets the size of QEMU's screen; at 0x0 the graphics card reports its connector as
    empty, as on a real unplug. size: the screen's own.

    A Pi's driver then probes its connector by itself. virtio-gpu leaves that to user space, so a probe is forced here.
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
        """Plug in; no effect if plugged in."""
        if not self.is_in and self._is_on():
            self._resize(*self._size)
            self._look()
        self.is_in = True

    def unplug(self) -> None:
        """Unplug. If the board is off, it starts without a screen, once started() is called."""
        self.is_in = False
        if self._is_on():
            self.started()
            self._look()

    def started(self) -> None:
        """Call after power on: QEMU always starts with a screen."""
        if not self.is_in and self._is_on():
            self._resize(
                *self._size
            )  # QEMU forwards only changes, and a graphics card that has just started has no size yet
            self._resize(0, 0)

    def _look(self) -> None:
        done = self._console.run(f"for at in {CONNECTORS}; do echo detect >$at || exit 1; done", self._timeout_s)
        if done.status:
            raise RigError("screen", done.output)


class UsbSoundCard:
    """A sound card on the emulated USB bus, hot-pluggable."""

    def __init__(self, qmp: Callable[[], Qmp], timeout_s: float) -> None:
        self._qmp = qmp
        self._timeout_s = timeout_s

    def plug(self) -> None:
        """Plug in; no effect if plugged in."""
        if not self.is_in():
            self._qmp().run("device_add", driver="usb-audio", id=USB_CARD, audiodev=USB_SOUND)

    def unplug(self) -> None:
        """Unplug; no effect if unplugged. Raises RigError."""
        if self.is_in():
            self._qmp().run("device_del", id=USB_CARD)
        deadline = time.monotonic() + self._timeout_s
        while self.is_in():
            if time.monotonic() > deadline:
                raise RigError("sound card", "it could not be unplugged")
            time.sleep(0.1)

    def is_in(self) -> bool:
        """Whether it is plugged in, according to QEMU."""
        return f"ID: {USB_CARD}" in self._qmp().monitor("info usb")
