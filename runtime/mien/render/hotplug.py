"""Screen hot-plug detection: SDL's KMSDRM driver looks for screens only when it opens."""

from pathlib import Path
from typing import Final

DRM_CLASS: Final = Path("/sys/class/drm")


def connected_outputs(drm_class: Path = DRM_CLASS) -> frozenset[str]:
    """The connectors with a screen according to the kernel, such as "card0-HDMI-A-1".

    Raises OSError if they cannot be read, for example without free descriptors.
    """
    return frozenset(path.parent.name for path in drm_class.glob("card*-*/status") if _read(path) == "connected")


class ScreenWatch:
    """Compares the connected screens with those at construction."""

    def __init__(self, drm_class: Path = DRM_CLASS) -> None:
        self._drm_class = drm_class
        self._opened_on = connected_outputs(drm_class)
        self._unplugged = False

    def plugged_in(self) -> bool:
        """Whether a screen was plugged in, or back in, so that the display must be reopened.

        False while no screen is connected.
        """
        try:
            now = connected_outputs(self._drm_class)
        except OSError:  # for example without free descriptors: no evidence of a new screen
            return False
        self._unplugged = self._unplugged or not self._opened_on <= now
        return bool(now) and (self._unplugged or now != self._opened_on)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (FileNotFoundError, PermissionError, UnicodeDecodeError):
        return ""
