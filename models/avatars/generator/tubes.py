"""Tubes along a path, of which jewellery is made."""

import numpy as np

from generator.arrays import Floats
from generator.look import Color
from generator.piece import Piece, grid_quads
from generator.skin import triangles


def tube(path: Floats, radius: float, color: Color, *, closed: bool, sides: int = 5) -> Piece:
    """A tube of `radius` cm along path (N, 3). closed: its end is joined to its beginning."""
    ahead = np.roll(path, -1, axis=0) - np.roll(path, 1, axis=0) if closed else np.gradient(path, axis=0)
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)
    aside = np.cross(ahead, np.array([0.05, 0.1, 1.0]))
    aside /= np.maximum(np.linalg.norm(aside, axis=1, keepdims=True), 1e-9)
    above = np.cross(aside, ahead)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)[:, None]
    points = path[:, None] + radius * (np.cos(angle) * aside[:, None] + np.sin(angle) * above[:, None])
    count = len(path)
    quads = grid_quads(count + 1 if closed else count, sides, closed=True) % (count * sides)
    return Piece(points=points.reshape(-1, 3), tris=triangles(quads[:, ::-1]), colors=np.array(color), casts=False)
