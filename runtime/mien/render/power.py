"""Whether the screen itself can be switched off (DPMS), and by whom. Where nobody can, the caller shows black."""

import logging
from typing import Final, Protocol

from mien.render.dpms_kms import KmsPower
from mien.render.dpms_x11 import X11Power

log = logging.getLogger("mien.face")


class ScreenPower(Protocol):
    """A display's power switch."""

    def switch(self, on: bool) -> bool:
        """Switch the screen on or off. Whether the display took it; False changes nothing."""
        ...

    def close(self) -> None:
        """Give back what was opened."""
        ...


class NoPower:
    """No way to switch the screen: Wayland, an offscreen buffer, a driver without DPMS."""

    def switch(self, on: bool) -> bool:
        """Never: a screen cannot be switched here."""
        return False

    def close(self) -> None:
        """Nothing was opened."""


_BY_DRIVER: Final = {"x11": X11Power.open, "kmsdrm": KmsPower.open}


def power_of(driver: str) -> ScreenPower:
    """The power switch of what SDL's driver of this name draws on; a window must be open. Never raises."""
    opener = _BY_DRIVER.get(driver.lower())
    try:
        power = opener() if opener is not None else None
    except (OSError, AttributeError) as error:  # a library, or a function of it, that is not there
        log.info("the screen cannot be switched off: %s", error)
        power = None
    return NoPower() if power is None else power
