"""Ears: a polar grid with a rolled helix, an antihelix, a concha and a lobe."""

import numpy as np

from generator.look import Look
from generator.piece import Piece, grid_quads
from generator.skin import triangles

# An unpainted spot of the skin's texture, on the neck below the ear.
BARE_SKIN_UV = (0.97, 0.99)
AROUND, CENTER = 26, np.array([6.9, -1.0, -0.9])


def ear(side: int, look: Look) -> Piece:
    angle = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)
    # Outline by angle (0: towards the face, 90: up): narrow in front, wide above and behind, a lobe below.
    outline_at = np.radians([0, 45, 80, 110, 150, 190, 230, 262, 290, 325, 360])
    outline = np.interp(angle, outline_at, [1.15, 2.05, 2.85, 2.95, 2.45, 2.05, 2.15, 2.65, 2.5, 1.5, 1.15])
    rings = np.array([0.0, 0.16, 0.34, 0.50, 0.62, 0.76, 0.88, 0.97, 1.0, 0.93])
    lift = np.array([-0.18, -0.15, -0.02, 0.26, 0.26, 0.06, 0.30, 0.42, 0.22, -0.25])
    lobe = np.exp(-(((angle - np.radians(268)) / 0.55) ** 2))
    front = np.exp(-((((angle + np.pi) % (2 * np.pi) - np.pi) / 0.75) ** 2))
    r, a = np.meshgrid(rings, angle, indexing="ij")
    height = lift[:, None] * (1 - 0.75 * lobe * (rings > 0.4)[:, None]) + 0.12 * lobe * (rings > 0.4)[:, None]
    height = height * (1 - 0.75 * front * (rings > 0.55)[:, None]) - 0.25 * front * (rings > 0.9)[:, None]
    forward, up = r * outline * np.cos(a) * 0.80, r * outline * np.sin(a)
    tilt = 0.12
    forward, up = forward * np.cos(tilt) - up * np.sin(tilt), forward * np.sin(tilt) + up * np.cos(tilt)
    flare = np.radians(28)
    out = height - forward * np.sin(flare) * 0.9
    back = forward * np.cos(flare)
    points = np.stack([CENTER[0] + out, CENTER[1] + up, CENTER[2] + back], axis=-1).reshape(-1, 3)
    points[:, 0] *= side
    quads = grid_quads(len(rings), AROUND, closed=True)
    tris = triangles(quads if side > 0 else quads[:, ::-1])
    shade = np.interp(np.tile(rings[:, None], AROUND).reshape(-1), [0, 0.3, 0.6, 1], [0.72, 0.85, 0.97, 1.0])
    warm = np.array(look.skin) * np.array([0.99, 0.90, 0.86])
    return Piece(points=points, tris=tris, colors=warm * shade[:, None], uvs=np.tile(BARE_SKIN_UV, (len(points), 1)))
