"""Tileable textures of knitted, woven or printed cloth."""

import numpy as np

from generator.arrays import Floats, Pixels
from generator.look import Look

SIZE = 256
# Diagonal dots per tile. Only the centre of a dot is guaranteed to be plain in a printed tile.
DOTS, DOT_RADIUS = ((0.0, 0.0), (0.5, 0.0), (0.25, 0.5), (0.75, 0.5)), 0.052
PLAIN_UV = (0.25, 0.5)


def _knit(u: Floats, v: Floats) -> Floats:
    """Columns of V-shaped stitches."""
    column, row = 22, 26
    x = (u * column) % 1 - 0.5
    stitch = (v * row + np.abs(x) * 1.5) % 1
    result: Floats = 0.80 + 0.20 * np.sin(np.pi * stitch) ** 0.7 * np.clip(1.25 - np.abs(x) * 0.9, 0, 1)
    return result


def _rib(u: Floats, v: Floats) -> Floats:
    """A heavy rib knit."""
    result: Floats = (0.76 + 0.24 * np.abs(np.sin(np.pi * u * 12)) ** 0.6) * (0.94 + 0.06 * np.sin(2 * np.pi * v * 32))
    return result


def _twill(u: Floats, v: Floats) -> Floats:
    """Fine diagonal lines."""
    result: Floats = 0.96 + 0.04 * np.sin(2 * np.pi * (u * 22 + v * 22))
    return result


WEAVES = {"knit": _knit, "rib": _rib, "twill": _twill}


def texture(look: Look) -> Pixels:
    """uint8 (SIZE, SIZE, 4)."""
    at = (np.arange(SIZE) + 0.5) / SIZE
    u, v = np.meshgrid(at, at)
    tone = WEAVES[look.weave](u, v)[..., None] * np.ones(3)
    if look.dots:
        tone = tone * _printed(look, u, v)
    out = np.full((SIZE, SIZE, 4), 255, dtype=np.uint8)
    out[..., :3] = np.rint(np.clip(tone, 0, 1) * 127) * 2
    return out


def _printed(look: Look, u: Floats, v: Floats) -> Floats:
    """The ground between dots, (SIZE, SIZE, 3). Textures multiply, so the lighter dots have the cloth's own colour."""
    far = np.full(u.shape, np.inf)
    for x, y in DOTS:
        du, dv = np.abs(u - x), np.abs(v - y)
        far = np.minimum(far, np.hypot(np.minimum(du, 1 - du), np.minimum(dv, 1 - dv)))
    ground = np.clip((far - DOT_RADIUS) / 0.012 + 0.5, 0, 1)[..., None]
    ink = np.array(look.cloth) / np.maximum(np.maximum(look.cloth, look.dots or look.cloth), 1)
    result: Floats = 1 - ground + ground * ink
    return result
