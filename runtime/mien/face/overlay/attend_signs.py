"""Signs of a person elsewhere: a figure with a headset listens, with sound beside the head speaks.

A light disc with a dark figure, as the sign of a live microphone.
"""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from mien.core.bus import AttendSign
from mien.face.overlay.shapes import Grid, covered, pixel_grid, segment
from mien.units import NS_PER_MS

AttendSignName = Literal["", "listening", "speaking", "both"]

STRENGTH: Final = 0.9  # opacity of the whole sign
FADE_NS: Final = 150 * NS_PER_MS  # fast: who hears a visitor is shown at once
AFTER_NS: Final[dict[str, int]] = {"listening": 0, "speaking": 0, "both": 0}

# In units of the disc's radius; y points down.
_HEAD: Final = (0.0, -0.2, 0.25)
_SHOULDERS: Final = (0.0, 0.72, 0.5)
_BOTTOM: Final = 0.62
_BAND: Final = 0.38  # radius of the headset's band around the head, and of the first arc of sound
_ARCS: Final = (0.4, 0.58)
_STROKE: Final = 0.075
_HALO_PX: Final = 1.5  # at a disc of 30 pixels: a soft dark edge sets the disc off from a light background
_LIGHT, _DARK, _SHADOW = 0.95, 0.92, 0.45


def attend_sign(sign: AttendSign | None) -> AttendSignName:
    """Which sign applies."""
    if sign is None or not (sign.listening or sign.speaking):
        return ""
    return "both" if sign.listening and sign.speaking else "listening" if sign.listening else "speaking"


def draw_attend_sign(name: str, size_px: int) -> NDArray[np.uint8]:
    """The sign as an overlay image, uint8 (size_px, size_px, 4). name: of an AttendSignName that is not ""."""
    x_px, y_px = pixel_grid(size_px)
    halo_px = _HALO_PX * size_px / 30
    radius_px = size_px / 2 - halo_px
    distance = np.asarray(np.hypot(x_px, y_px) - radius_px, dtype=np.float32)
    disc = covered(distance)
    ink = covered(_figure(name, x_px / radius_px, y_px / radius_px) * radius_px) * disc
    image = np.zeros((size_px, size_px, 4), dtype=np.float32)
    image[..., 0] = _LIGHT * disc * (1.0 - ink)
    image[..., 1] = _SHADOW * np.clip(1.0 - distance / halo_px, 0.0, 1.0)
    image[..., 3] = _DARK * disc * ink
    return np.asarray(np.rint(255 * image), dtype=np.uint8)


def _figure(name: str, x: Grid, y: Grid) -> Grid:
    head_x, head_y, head = _HEAD
    round_head = np.hypot(x - head_x, y - head_y) - head
    shoulders = np.maximum(np.hypot(x - _SHOULDERS[0], y - _SHOULDERS[1]) - _SHOULDERS[2], y - _BOTTOM)
    parts = [round_head, shoulders]
    if name in ("listening", "both"):
        parts.append(_headset(x - head_x, y - head_y))
    if name in ("speaking", "both"):
        parts += [_arc(x - head_x, y - head_y, radius + (0.14 if name == "both" else 0.0)) for radius in _ARCS]
    figure: Grid = np.minimum.reduce(parts)
    return figure


def _headset(x: Grid, y: Grid) -> Grid:
    """A band over the head, and a cup at either ear."""
    band = np.maximum(np.abs(np.hypot(x, y) - _BAND) - _STROKE / 2, y)
    cups = segment(np.abs(x), y, (_BAND, 0.0), (_BAND, 0.16), 1.3 * _STROKE)
    return np.minimum(band, cups)


def _arc(x: Grid, y: Grid, radius: float) -> Grid:
    """A quarter of a circle, to the right of the mouth."""
    return np.maximum(np.abs(np.hypot(x, y) - radius) - _STROKE / 2, (np.abs(y) - x) * 0.7071)
