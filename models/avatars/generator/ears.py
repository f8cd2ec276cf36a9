"""Ears: a polar grid with a rolled helix, a forked antihelix, a hollow concha, a tragus and a lobe."""

import numpy as np

from generator.arrays import Floats
from generator.look import Look
from generator.piece import Piece, grid_quads
from generator.skin import triangles

# An unpainted spot of the skin's texture, on the neck below the ear.
BARE_SKIN_UV = (0.97, 0.99)
AROUND, CENTER = 30, np.array([6.9, -1.0, -0.9])
RINGS = np.array([0.0, 0.20, 0.36, 0.50, 0.62, 0.74, 0.85, 0.94, 1.0, 0.97])
FLARE, TILT = np.radians(28), 0.16


def ear(side: int, look: Look) -> Piece:
    """The ear of a side, +1 for the left one."""
    angle = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)
    r, a = np.meshgrid(RINGS, angle, indexing="ij")
    height = _height(r, a)
    height[-1] -= 0.55  # the back of the rim
    size = look.proportions.ear_scale
    forward, up = r * _outline(a) * np.cos(a) * 0.80, r * _outline(a) * np.sin(a)
    forward, up = forward * np.cos(TILT) - up * np.sin(TILT), forward * np.sin(TILT) + up * np.cos(TILT)
    out = height - forward * np.sin(FLARE) * 0.9
    points = CENTER + size * np.stack([out, up, forward * np.cos(FLARE)], axis=-1).reshape(-1, 3)
    points[:, 0] *= side
    quads = grid_quads(len(RINGS), AROUND, closed=True)
    # Thin cartilage is redder than the face: the rim and the lobe let light through.
    hollow = np.clip((0.12 - height) / 0.4, 0, 1).reshape(-1, 1)
    thin = np.clip((r - 0.72) / 0.25, 0, 1).reshape(-1, 1)
    tint = np.array([0.97, 0.93, 0.91]) * (1 - 0.22 * hollow * np.array([0.8, 1.15, 1.15]))
    tint = tint * (1 - thin * np.array([0.0, 0.07, 0.07]))
    return Piece(
        points=points,
        tris=triangles(quads if side > 0 else quads[:, ::-1]),
        colors=np.array(look.skin) * tint,
        uvs=np.tile(BARE_SKIN_UV, (len(points), 1)),
        least_open=0.3,
    )


def _outline(angle: Floats) -> Floats:
    """The radius at an angle, 0 towards the face and 90 degrees up: wide above and behind, a lobe below."""
    at = np.radians([0, 30, 55, 80, 105, 135, 165, 195, 225, 250, 270, 290, 320, 345, 360])
    radius = [1.05, 1.55, 2.35, 2.85, 3.0, 2.75, 2.35, 2.10, 2.10, 2.35, 2.62, 2.40, 1.55, 1.12, 1.05]
    result: Floats = np.interp(angle, at, radius)
    return result


def _around(angle: Floats, degrees: float, width: float) -> Floats:
    """1 at an angle, falling off over `width` degrees."""
    off = (np.degrees(angle) - degrees + 180) % 360 - 180
    result: Floats = np.exp(-((off / width) ** 2))
    return result


def _span(angle: Floats, low: float, high: float, soft: float) -> Floats:
    """1 between two angles in degrees, falling off over `soft` degrees outside."""
    at = np.degrees(angle)
    beyond = np.maximum(low - at, at - high).clip(0)
    result: Floats = np.exp(-((beyond / soft) ** 2))
    return result


def _ridge(r: Floats, at: Floats | float, width: float) -> Floats:
    result: Floats = np.exp(-(((r - at) / width) ** 2))
    return result


def _height(r: Floats, a: Floats) -> Floats:
    """How far the ear stands out of its plane, in cm."""
    helix = 0.46 * _ridge(r, 0.95, 0.10) * _span(a, 25, 225, 30)
    root = 0.22 * _around(a, 32, 22) * np.clip((r - 0.25) / 0.3, 0, 1) * np.clip((1.05 - r) / 0.2, 0, 1)
    fork = 0.10 * _around(a, 70, 25)
    antihelix = 0.40 * _ridge(r, 0.62 - fork, 0.12) * _span(a, 75, 255, 25)
    tragus = 0.42 * _around(a, 0, 24) * _ridge(r, 0.62, 0.26)
    antitragus = 0.26 * _around(a, 292, 22) * _ridge(r, 0.50, 0.13)
    concha = -0.50 * np.clip(1 - r / 0.52, 0, 1) ** 0.7 - 0.16 * _around(a, 0, 60) * _ridge(r, 0.2, 0.2)
    lobe = 0.16 * _span(a, 245, 300, 18) * np.clip((r - 0.55) / 0.2, 0, 1)
    sunk = -0.32 * _around(a, 0, 28) * np.clip((r - 0.8) / 0.2, 0, 1)
    result: Floats = helix + root + antihelix + tragus + antitragus + concha + lobe + sunk
    return result
