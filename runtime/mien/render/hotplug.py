"""Whether a screen was plugged in since the display was opened: SDL's KMSDRM driver looks only when it opens."""

from pathlib import Path
from typing import Final

DRM_CLASS: Final = Path("/sys/class/drm")


def connected_outputs(drm_class: Path = DRM_CLASS) -> frozenset[str]:
    """The outputs of the machine's graphics cards that have a screen, such as "card0-HDMI-A-1"; by the kernel.

    Raises OSError where that cannot be read, as when no descriptor is left.
    """
    return frozenset(path.parent.name for path in drm_class.glob("card*-*/status") if _read(path) == "connected")


class ScreenWatch:
    """Compares with what was connected when it was made."""

    def __init__(self, drm_class: Path = DRM_CLASS) -> None:
        self._drm_class = drm_class
        self._opened_on = connected_outputs(drm_class)
        self._unplugged = False

    def plugged_in(self) -> bool:
        """Whether a screen came, or came back, that is not set up: time to open the display again.

        While none is there it is False: there is nothing to open.
        """
        try:
            now = connected_outputs(self._drm_class)
        except OSError:  # no descriptor is left, say: that nothing can be read is no sign of a screen
            return False
        self._unplugged = self._unplugged or not self._opened_on <= now
        return bool(now) and (self._unplugged or now != self._opened_on)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (FileNotFoundError, PermissionError, UnicodeDecodeError):
        return ""
