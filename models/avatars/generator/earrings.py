"""Hoop earrings."""

import numpy as np

from generator.look import Look
from generator.piece import Piece, grid_quads
from generator.skin import triangles

CENTER, RADIUS, WIRE = np.array([7.07, -4.25, -0.75]), 0.80, 0.11
AROUND, SECTION = 16, 5


def earring(side: int, look: Look) -> Piece:
    """A ring that faces the viewer."""
    a, b = np.meshgrid(
        np.linspace(0, 2 * np.pi, AROUND, endpoint=False),
        np.linspace(0, 2 * np.pi, SECTION, endpoint=False),
        indexing="ij",
    )
    reach = RADIUS + WIRE * np.cos(b)
    ring = np.stack([reach * np.sin(a) * 0.86, reach * np.cos(a), WIRE * np.sin(b)], axis=-1)
    turn = np.radians(28)
    x = ring[..., 0] * np.cos(turn) + ring[..., 2] * np.sin(turn)
    z = ring[..., 2] * np.cos(turn) - ring[..., 0] * np.sin(turn)
    points = (np.stack([x, ring[..., 1], z], axis=-1) + CENTER).reshape(-1, 3) * np.array([side, 1, 1])
    quads = grid_quads(AROUND + 1, SECTION, closed=True) % (AROUND * SECTION)
    return Piece(
        points=points,
        tris=triangles(quads if side < 0 else quads[:, ::-1]),
        colors=np.array(look.earrings),
        casts=False,
    )
