"""Display power (DPMS): picks the backend for the video driver. Without one, the caller shows black."""

import logging
from typing import Final, Protocol

from mien.render.dpms_kms import KmsPower
from mien.render.dpms_x11 import X11Power

log = logging.getLogger("mien.face")


class ScreenPower(Protocol):
    """A display's power switch."""

    def switch(self, on: bool) -> bool:
        """Switch the screen on or off. Returns whether the display accepted it."""
        ...

    def close(self) -> None:
        """Release the connection."""
        ...


class NoPower:
    """For displays without DPMS: Wayland, offscreen buffers, some drivers."""

    def switch(self, on: bool) -> bool:
        """Always False."""
        return False

    def close(self) -> None:
        """Nothing to release."""


_BY_DRIVER: Final = {"x11": X11Power.open, "kmsdrm": KmsPower.open}


def power_of(driver: str) -> ScreenPower:
    """The power switch for SDL's driver of this name; a window must be open. Never raises."""
    opener = _BY_DRIVER.get(driver.lower())
    try:
        power = opener() if opener is not None else None
    except (OSError, AttributeError) as error:  # a library or one of its functions is missing
        log.info("cannot switch the screen off: %s", error)
        power = None
    return NoPower() if power is None else power
