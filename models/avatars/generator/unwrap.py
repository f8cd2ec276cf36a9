"""The UV map of the skin: a cylindrical unwrap of half the head, mirrored for the other half.

The position of each texel on the sculpted head is known in cm, so that paint is placed by features rather than by their
projection. The side of the head is compressed, because it has little detail.
"""

from functools import cached_property

import numpy as np

from generator.arrays import Floats, Ints
from generator.sculpt import Sculpt

SIZE = 1024
AXIS_Z = -1.0
# From cm around a cylinder of RADIUS to cm across the texture: to scale over the face, less from the temple to the ear.
RADIUS = 9.0
ROUND = (0.0, 7.0, 10.5, 16.0, 28.3)
ACROSS = (0.0, 7.0, 9.4, 11.6, 12.4)
TOP_Y, BOTTOM_Y = 9.8, -12.2
# Border texels that repeat their inner neighbours, because mipmaps mix opposite borders.
MARGIN = 0.02
COARSE = 160


def _across(points: Floats) -> Floats:
    angle = np.arctan2(np.abs(points[..., 0]), points[..., 2] - AXIS_Z)
    across: Floats = np.interp(angle * RADIUS, ROUND, ACROSS)
    return across


def uvs(points: Floats) -> Floats:
    """The UVs (V, 2), 0..1 with v downwards, of points (V, 3) in cm."""
    u = MARGIN + (1 - 2 * MARGIN) * _across(points) / ACROSS[-1]
    v = (TOP_Y - points[:, 1]) / (TOP_Y - BOTTOM_Y)
    return np.stack([u, np.clip(v, MARGIN, 1 - MARGIN)], axis=1)


def smoothstep(x: Floats | Ints, low: float, high: float) -> Floats:
    t = np.clip((x - low) / (high - low), 0, 1)
    result: Floats = t * t * (3 - 2 * t)
    return result


class Canvas:
    """The texture space of one head. x, y, z: position of each texel in cm, (SIZE, SIZE); x is never negative."""

    def __init__(self, sculpt: Sculpt) -> None:
        at = (np.linspace(0, 1, COARSE) - MARGIN) / (1 - 2 * MARGIN)
        angle = np.interp(np.abs(at) * ACROSS[-1], ACROSS, ROUND) / RADIUS
        y = np.linspace(TOP_Y, BOTTOM_Y, COARSE)
        outward = np.stack([np.sin(angle), np.zeros(COARSE), np.cos(angle)], axis=1)
        rays = np.broadcast_to(outward, (COARSE, COARSE, 3))
        axis = np.stack([np.zeros(COARSE), y, np.full(COARSE, AXIS_Z)], axis=1)[:, None]
        self._coarse = sculpt.march(axis + rays * 14.0, -rays)
        self.x, self.y, self.z = (_enlarged(self._coarse[..., axis]) for axis in range(3))

    @cached_property
    def across(self) -> Floats:
        """The horizontal position of each texel, in cm across the texture."""
        at = (np.linspace(0, 1, SIZE) - MARGIN) / (1 - 2 * MARGIN)
        return np.broadcast_to(np.abs(at) * ACROSS[-1], (SIZE, SIZE))

    def pixels(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """The columns and rows of points on the front of the head, given x >= 0 and y as seen from the front."""
        row = np.clip(np.rint((TOP_Y - y) / (TOP_Y - BOTTOM_Y) * (COARSE - 1)), 0, COARSE - 1).astype(int)
        column = np.empty(np.shape(x))
        for line in np.unique(row):
            mine = row == line
            known = np.maximum.accumulate(self._coarse[line, :, 0])
            column[mine] = np.interp(x[mine], known, np.arange(COARSE)) * (SIZE - 1) / (COARSE - 1)
        return column, (TOP_Y - y) / (TOP_Y - BOTTOM_Y) * (SIZE - 1)

    def dots(self, x: Floats, y: Floats, weight: Floats, radius_cm: Floats) -> Floats:
        """A sum of soft round dots, (SIZE, SIZE), at x, y in cm as seen from the front."""
        column, row = self.pixels(x, y)
        return self.dots_at(column, row, weight, radius_cm)

    def dots_at(self, column: Floats, row: Floats, weight: Floats, radius_cm: Floats) -> Floats:
        """A sum of soft round dots at texels."""
        wide = SIZE * (1 - 2 * MARGIN) / ACROSS[-1]
        high = SIZE / (TOP_Y - BOTTOM_Y)
        texture = np.zeros((SIZE, SIZE))
        reach_x, reach_y = (int(np.ceil(radius_cm.max() * 2 * scale)) for scale in (wide, high))
        for dy in range(-reach_y, reach_y + 1):
            for dx in range(-reach_x, reach_x + 1):
                ix, iy = np.floor(column).astype(int) + dx, np.floor(row).astype(int) + dy
                r2 = ((ix + 0.5 - column) / wide) ** 2 + ((iy + 0.5 - row) / high) ** 2
                inside = (ix >= 0) & (ix < SIZE) & (iy >= 0) & (iy < SIZE) & (r2 < 4 * radius_cm**2)
                np.add.at(texture, (iy[inside], ix[inside]), (weight * np.exp(-r2 / radius_cm**2))[inside])
        return texture


def _enlarged(coarse: Floats) -> Floats:
    at = np.linspace(0, COARSE - 1.001, SIZE)
    i, f = at.astype(int), at % 1
    rows = coarse[i] * (1 - f)[:, None] + coarse[i + 1] * f[:, None]
    result: Floats = rows[:, i] * (1 - f) + rows[:, i + 1] * f
    return result
