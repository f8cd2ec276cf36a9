"""Status signs in the corner: paused, audio only, disconnected, no sound."""

from collections.abc import Callable
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from mien.core.bus import Anchor, VoiceHealth
from mien.core.degradation import Level
from mien.face.overlay.shapes import Grid, covered, pixel_grid, segment
from mien.units import NS_PER_MS

SignName = Literal["", "paused", "audio_only", "disconnected", "silent"]

STRENGTH: Final = 0.8  # opacity of the whole sign
_PLATE: Final = 0.36
# Shorter conditions are not shown; a restarting voice or client is back by then.
AFTER_NS: Final[dict[str, int]] = {
    "paused": 300 * NS_PER_MS, "audio_only": 500 * NS_PER_MS, "silent": 1500 * NS_PER_MS,
    "disconnected": 3000 * NS_PER_MS,
}  # fmt: skip


def sign_for(
    anchor: Anchor | None, voice: VoiceHealth | None, *, motion_lost: bool, attending: bool = False
) -> SignName:
    """The most important sign that applies. voice: its newest report, None before the first.

    attending: the face listens to a customer; a pause is then no news.
    """
    if anchor is None:
        return "disconnected"
    if anchor.phase == "paused" and not attending:
        return "paused"
    if voice is not None and voice.level == Level.SILENT.value:
        return "silent"
    if motion_lost:
        return "audio_only"
    return "disconnected" if voice is not None and not voice.session and anchor.phase == "idle" else ""


def draw_sign(name: str, size_px: int) -> NDArray[np.uint8]:
    """The sign as an overlay image, uint8 (size_px, size_px, 4). name: of a SignName that is not ""."""
    radius_px = size_px / 2
    x_px, y_px = pixel_grid(size_px)
    x, y = x_px / radius_px, y_px / radius_px
    image = np.zeros((size_px, size_px, 4), dtype=np.uint8)
    image[..., 0] = 255 * covered(_SHAPES[name](x, y) * radius_px)
    image[..., 3] = 255 * _PLATE * covered(np.hypot(x_px, y_px) - radius_px)
    return image


def _paused(x: Grid, y: Grid) -> Grid:
    return np.minimum(*(segment(x, y, (at, -0.26), (at, 0.26), 0.1) for at in (-0.2, 0.2)))


def _voice(x: Grid, y: Grid) -> Grid:
    """A sound wave as bars."""
    bars = ((-0.5, 0.08), (-0.25, 0.26), (0.0, 0.42), (0.25, 0.26), (0.5, 0.08))
    wave: Grid = np.minimum.reduce([segment(x, y, (at, -half), (at, half), 0.07) for at, half in bars])
    return wave


def _apart(x: Grid, y: Grid) -> Grid:
    """A link of a chain, broken."""
    turned_x, turned_y = (x + y) * 0.7071, (y - x) * 0.7071
    ring = np.abs(segment(turned_x, turned_y, (-0.3, 0.0), (0.3, 0.0), 0.24)) - 0.065
    gap = 0.17 - np.abs(turned_x)
    sparks = np.minimum(*(segment(turned_x, turned_y, (0.0, at), (0.0, 1.55 * at), 0.05) for at in (-0.33, 0.33)))
    return np.minimum(np.maximum(ring, gap), sparks)


def _no_sound(x: Grid, y: Grid) -> Grid:
    """A loudspeaker, crossed out."""
    box = np.maximum(np.abs(x + 0.34) - 0.16, np.abs(y) - 0.17)
    horn = np.maximum(np.abs(x + 0.08) - 0.16, np.abs(y) - (0.3 + 0.85 * (x + 0.02)))
    cross = np.minimum(*(segment(x, y, (0.26, -at), (0.56, at), 0.055) for at in (0.16, -0.16)))
    crossed: Grid = np.minimum(np.minimum(box, horn), cross)
    return crossed


_SHAPES: Final[dict[str, Callable[[Grid, Grid], Grid]]] = {
    "paused": _paused, "audio_only": _voice, "disconnected": _apart, "silent": _no_sound,
}  # fmt: skip
