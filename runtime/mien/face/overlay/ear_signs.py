"""Signs of the microphone: live while sound leaves the ear for a client, or muted.

The two differ by shape, and by light against dark, never by colour: a light disc with a dark microphone is live, a dark
disc with a crossed-out microphone is muted.
"""

from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from mien.core.bus import Anchor, EarSign
from mien.face.overlay.shapes import Grid, box, covered, pixel_grid, segment
from mien.units import NS_PER_MS

EarSignName = Literal["", "live", "muted"]

STRENGTH: Final = 0.9  # opacity of the whole sign
FADE_NS: Final = 150 * NS_PER_MS  # fast: a live microphone is shown at once
AFTER_NS: Final[dict[str, int]] = {"live": 0, "muted": 0}
# Utterances follow each other; a sign that came and went with each would draw the eye.
LINGERS_NS: Final = 1500 * NS_PER_MS

# Measured at a disc of 30 pixels, in pixels, and scaled from there.
_DRAWN_AT: Final = 30.0
_HALO, _SHADOW = 1.5, 0.45  # a soft dark edge sets the light disc off from a light background
_LIGHT, _DARK, _PLATE, _RIM = 0.95, 0.92, 0.68, 0.3
_SLASH: Final = 0.52  # its half, as a share of the disc's radius across and down


class EarSigns:
    """Decides which sign applies, letting a live one stay on between utterances."""

    def __init__(self) -> None:
        self._live_ns: int | None = None

    def step(self, now_ns: int, anchor: Anchor | None, ear: EarSign) -> EarSignName:
        """The sign at now_ns. anchor: None without a voice; nothing can then leave the ear."""
        if anchor is None or ear.muted:
            self._live_ns = None
            return "" if anchor is None else "muted"
        if ear.live:
            self._live_ns = now_ns
        return "live" if self._live_ns is not None and now_ns - self._live_ns <= LINGERS_NS else ""


def draw_ear_sign(name: str, size_px: int) -> NDArray[np.uint8]:
    """The sign as an overlay image, uint8 (size_px, size_px, 4). size_px: even. name: "live" or "muted"."""
    x, y = pixel_grid(size_px)
    scale = size_px / _DRAWN_AT
    halo_px = _HALO * scale
    distance = np.asarray(np.hypot(x, y) - size_px / 2 + halo_px, dtype=np.float32)
    disc = covered(distance)
    image = np.zeros((size_px, size_px, 4), dtype=np.float32)
    if name == "live":
        ink = covered(_microphone(x, y, scale))
        image[..., 0] = _LIGHT * disc * (1.0 - ink)
        image[..., 1] = _SHADOW * np.clip(1.0 - distance / halo_px, 0.0, 1.0)
        image[..., 3] = _DARK * disc * ink
    else:
        rim = covered(np.abs(distance + 0.75) - 0.5)
        image[..., 0] = np.maximum(covered(_crossed_out(x, y, scale)), _RIM * rim)
        image[..., 3] = _PLATE * disc
    return np.asarray(np.rint(255 * image), dtype=np.uint8)


def _stroke(scale: float) -> float:
    return 2.0 * max(1.0, scale)


def _microphone(x: Grid, y: Grid, scale: float) -> Grid:
    """Straight sides lie between two pixels, so that they stay crisp at every size."""
    stroke = _stroke(scale)
    stem = max(1.0, stroke // 2)  # half its width
    half, top, bottom = max(3, round(3.2 * scale)), -round(9.0 * scale), round(2.0 * scale)
    centre = bottom - half
    capsule = segment(x, y, (0.0, top + half), (0.0, centre), half)
    radius = half + 1.6 * scale + stroke / 2
    cradle = np.where(y >= centre, np.abs(np.hypot(x, y - centre) - radius), np.hypot(np.abs(x) - radius, y - centre))
    foot = round(centre + radius + 3.0 * scale)
    pole = box(x, y, -stem, centre + radius - stroke / 2, stem, foot)
    base = box(x, y, -round(3.6 * scale), foot - round(stroke), round(3.6 * scale), foot)
    whole: Grid = np.minimum.reduce([capsule, cradle - stroke / 2, pole, base])
    return whole


def _crossed_out(x: Grid, y: Grid, scale: float) -> Grid:
    """The microphone with a slash, and a gap on either side of it."""
    stroke = _stroke(scale)
    reach = _SLASH * (_DRAWN_AT / 2 - _HALO) * scale
    slash = segment(x, y, (-reach, -reach), (reach, reach), stroke / 2)
    return np.minimum(np.maximum(_microphone(x, y, scale), 0.8 * stroke - slash), slash)
