"""Status signs in the corner: paused, audio only, disconnected, no sound."""

from collections.abc import Callable
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from mien.core.bus import Anchor, VoiceHealth
from mien.core.degradation import Level
from mien.render.base import Overlay
from mien.units import NS_PER_MS

SignName = Literal["", "paused", "audio_only", "disconnected", "silent"]
Grid = NDArray[np.float32]

_FADE_NS: Final = 400 * NS_PER_MS
_PLATE: Final = 0.36
_STRENGTH: Final = 0.8  # opacity of the whole sign
# Shorter conditions are not shown; a restarting voice or client is back by then.
_AFTER_NS: Final[dict[SignName, int]] = {
    "paused": 300 * NS_PER_MS, "audio_only": 500 * NS_PER_MS, "silent": 1500 * NS_PER_MS,
    "disconnected": 3000 * NS_PER_MS,
}  # fmt: skip


def sign_for(anchor: Anchor | None, voice: VoiceHealth | None, *, motion_lost: bool) -> SignName:
    """The most important sign that applies. voice: its newest report, None before the first."""
    if anchor is None:
        return "disconnected"
    if anchor.phase == "paused":
        return "paused"
    if voice is not None and voice.level == Level.SILENT.value:
        return "silent"
    if motion_lost:
        return "audio_only"
    return "disconnected" if voice is not None and not voice.session and anchor.phase == "idle" else ""


class Signs:
    """Shows one sign at a time, with a fade. Signs are drawn when first needed."""

    def __init__(self, size_px: int, corner: tuple[int, int], layer: int) -> None:
        """corner: of the sign's upper left, on the upright screen."""
        self._size_px, self._corner, self._layer = size_px, corner, layer
        self._wanted: SignName = ""
        self._since_ns = 0
        self._shown: SignName = ""
        self._level = 0.0
        self._last_ns = 0

    def step(self, now_ns: int, wanted: SignName, open_overlay: Callable[[], Overlay]) -> None:
        """wanted: the sign that applies now. open_overlay: called when there is something to show."""
        if wanted != self._wanted:
            self._wanted, self._since_ns = wanted, now_ns
        due = wanted if wanted and now_ns - self._since_ns >= _AFTER_NS[wanted] else ""
        step, self._last_ns = min(1.0, max(0, now_ns - self._last_ns) / _FADE_NS), now_ns
        if due != self._shown:
            self._level = max(0.0, self._level - step)
            if not self._level:
                self._turn_to(due, open_overlay())
        elif due:
            self._level = min(1.0, self._level + step)
        if self._shown:
            open_overlay().place(self._layer, *self._corner, _STRENGTH * self._level)

    def _turn_to(self, sign: SignName, overlay: Overlay) -> None:
        self._shown = sign
        if sign:
            overlay.load(self._layer, draw_sign(sign, self._size_px))
        else:
            overlay.hide(self._layer)


def draw_sign(name: SignName, size_px: int) -> NDArray[np.uint8]:
    """The sign as an overlay image, uint8 (size_px, size_px, 4)."""
    axis = (np.arange(size_px, dtype=np.float32) + 0.5) * (2.0 / size_px) - 1.0
    x, y = np.meshgrid(axis, axis)
    image = np.zeros((size_px, size_px, 4), dtype=np.uint8)
    image[..., 0] = _covered(_SHAPES[name](x, y), size_px)
    image[..., 3] = _PLATE * _covered(np.hypot(x, y) - 1.0, size_px)
    return image


def _covered(distance: Grid, size_px: int) -> Grid:
    """Coverage of each pixel, 0..255."""
    return np.asarray(np.clip(0.5 - distance * size_px / 2, 0.0, 1.0) * 255, dtype=np.float32)


def _segment(x: Grid, y: Grid, start: tuple[float, float], end: tuple[float, float], radius: float) -> Grid:
    """Distance to a line with round ends."""
    (x0, y0), (x1, y1) = start, end
    along_x, along_y = x1 - x0, y1 - y0
    share = np.clip(((x - x0) * along_x + (y - y0) * along_y) / (along_x**2 + along_y**2), 0.0, 1.0)
    return np.asarray(np.hypot(x - x0 - share * along_x, y - y0 - share * along_y) - radius, dtype=np.float32)


def _paused(x: Grid, y: Grid) -> Grid:
    return np.minimum(*(_segment(x, y, (at, -0.26), (at, 0.26), 0.1) for at in (-0.2, 0.2)))


def _voice(x: Grid, y: Grid) -> Grid:
    """A sound wave as bars."""
    bars = ((-0.5, 0.08), (-0.25, 0.26), (0.0, 0.42), (0.25, 0.26), (0.5, 0.08))
    wave: Grid = np.minimum.reduce([_segment(x, y, (at, -half), (at, half), 0.07) for at, half in bars])
    return wave


def _apart(x: Grid, y: Grid) -> Grid:
    """A link of a chain, broken."""
    turned_x, turned_y = (x + y) * 0.7071, (y - x) * 0.7071
    ring = np.abs(_segment(turned_x, turned_y, (-0.3, 0.0), (0.3, 0.0), 0.24)) - 0.065
    gap = 0.17 - np.abs(turned_x)
    sparks = np.minimum(*(_segment(turned_x, turned_y, (0.0, at), (0.0, 1.55 * at), 0.05) for at in (-0.33, 0.33)))
    return np.minimum(np.maximum(ring, gap), sparks)


def _no_sound(x: Grid, y: Grid) -> Grid:
    """A loudspeaker, crossed out."""
    box = np.maximum(np.abs(x + 0.34) - 0.16, np.abs(y) - 0.17)
    horn = np.maximum(np.abs(x + 0.08) - 0.16, np.abs(y) - (0.3 + 0.85 * (x + 0.02)))
    cross = np.minimum(*(_segment(x, y, (0.26, -at), (0.56, at), 0.055) for at in (0.16, -0.16)))
    crossed: Grid = np.minimum(np.minimum(box, horn), cross)
    return crossed


_SHAPES: Final[dict[SignName, Callable[[Grid, Grid], Grid]]] = {
    "paused": _paused, "audio_only": _voice, "disconnected": _apart, "silent": _no_sound,
}  # fmt: skip
