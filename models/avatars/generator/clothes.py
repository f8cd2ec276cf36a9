"""A knitted top: a yoke lofted from the neck over the shoulders, and a collar."""

import numpy as np

from generator.look import Look
from generator.piece import Piece, grid_quads
from generator.skin import triangles

AROUND = 44


def _loop(rx: float, rz: float, y: float, front_drop: float, z: float, square: float = 2.0) -> np.ndarray:
    """A ring round the body; front_drop lowers its front and raises its back."""
    a = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)
    c, s = np.cos(a), np.sin(a)
    x = rx * np.sign(s) * np.abs(s) ** (2 / square)
    zz = rz * np.sign(c) * np.abs(c) ** (2 / square)
    return np.stack([x, y - front_drop * (c * 0.5 + 0.5) ** 1.3, z + zz], axis=1)


def clothes(look: Look) -> list[Piece]:
    return [_yoke(look), _collar(look)]


def _yoke(look: Look) -> Piece:
    rings = [
        _loop(4.7, 4.7, -14.4, 1.9, -3.2),
        _loop(5.6, 5.5, -14.9, 2.3, -3.2),
        _loop(7.2, 6.3, -15.7, 3.1, -3.2, 2.1),
        _loop(9.6, 7.2, -16.7, 3.9, -3.2, 2.2),
        _loop(12.6, 8.1, -17.8, 4.6, -3.2, 2.3),
        _loop(15.6, 8.9, -19.0, 5.4, -3.2, 2.4),
        _loop(18.2, 9.5, -20.6, 6.4, -3.3, 2.4),
        _loop(20.0, 10.0, -23.2, 6.6, -3.3, 2.4),
        _loop(20.8, 10.4, -27.0, 6.0, -3.3, 2.4),
        _loop(21.2, 10.7, -33.0, 4.0, -3.3, 2.4),
        _loop(21.2, 10.7, -42.0, 1.0, -3.3, 2.4),
    ]
    points = np.concatenate(rings)
    front = np.clip(points[:, 2] / 8, 0, 1)
    breath = np.zeros_like(points)
    chest = np.exp(-(((points[:, 1] + 25) / 7) ** 2)) * np.exp(-((points[:, 0] / 13) ** 2))
    breath[:, 2] = 0.45 * chest * front
    breath[:, 1] = 0.28 * np.clip((points[:, 1] + 40) / 15, 0, 1) * np.clip(np.abs(points[:, 0]) / 8, 0.3, 1)
    folds = 1 + 0.05 * np.sin(points[:, 0] * 0.9 + points[:, 1] * 0.5)
    return Piece(
        points=points,
        tris=triangles(grid_quads(len(rings), AROUND, closed=True)[:, ::-1]),
        colors=np.array(look.cloth) * folds[:, None] / 1.05,
        head_weights=np.zeros(len(points)),
        targets={"breath": breath},
    )


def _collar(look: Look) -> Piece:
    high = look.cloth_style == "turtle"
    profile = (
        ((4.35, 4.35, -13.6), (4.55, 4.6, -13.05), (4.85, 4.9, -13.1), (5.25, 5.2, -13.75), (5.55, 5.45, -14.7), (5.5, 5.4, -15.2))
        if not high
        else ((4.3, 4.2, -12.2), (4.55, 4.5, -11.5), (4.95, 4.9, -11.6), (5.15, 5.1, -12.8), (5.3, 5.25, -14.2), (5.6, 5.5, -15.1))
    )
    rings = [_loop(rx, rz, y, 1.55 + 0.45 * i / 5 if not high else 1.1 + 0.9 * i / 5, -3.15) for i, (rx, rz, y) in enumerate(profile)]
    points = np.concatenate(rings)
    color = look.cloth_trim if look.cloth_style == "crew" else tuple(np.array(look.cloth) * 0.94)
    tone = np.repeat([0.7, 0.95, 1.0, 1.0, 0.96, 0.8], AROUND)[:, None]
    return Piece(
        points=points,
        tris=triangles(grid_quads(len(rings), AROUND, closed=True)[:, ::-1]),
        colors=np.array(color) * tone,
        head_weights=np.zeros(len(points)),
    )
