"""A knitted top: a yoke lofted from the neck over the shoulders, and a collar."""

import numpy as np

from generator.look import Look
from generator.piece import Piece, grid_quads
from generator.sculpt import Sculpt
from generator.skin import triangles

AROUND = 44


def _loop(rx: float, rz: float, y: float, front_drop: float, z: float, square: float = 2.0) -> np.ndarray:
    """A ring round the body; front_drop lowers its front and raises its back."""
    a = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)
    c, s = np.cos(a), np.sin(a)
    x = rx * np.sign(s) * np.abs(s) ** (2 / square)
    zz = rz * np.sign(c) * np.abs(c) ** (2 / square)
    return np.stack([x, y - front_drop * (c * 0.5 + 0.5) ** 1.3, z + zz], axis=1)


def clothes(look: Look, sculpt: Sculpt) -> list[Piece]:
    """Every piece of the cloth part, kept outside the body."""
    yoke = _yoke(look)
    yoke.points += sculpt.gradient(yoke.points) * np.clip(0.35 - sculpt.distance(yoke.points), 0, 3)[:, None]
    return [yoke, _collar(look, yoke.points[:AROUND])]


def _yoke(look: Look) -> Piece:
    rings = [
        _loop(6.3, 5.5, -15.0, 2.7, -3.6),
        _loop(8.0, 6.3, -15.7, 3.4, -3.6, 2.1),
        _loop(10.4, 7.2, -16.5, 4.3, -3.6, 2.2),
        _loop(13.2, 8.0, -17.6, 5.0, -3.5, 2.3),
        _loop(15.8, 8.7, -19.0, 5.6, -3.4, 2.35),
        _loop(18.0, 9.4, -21.0, 6.2, -3.3, 2.4),
        _loop(19.6, 10.0, -24.2, 6.0, -3.3, 2.4),
        _loop(20.4, 10.6, -28.6, 5.0, -3.3, 2.4),
        _loop(20.8, 10.9, -34.0, 4.0, -3.3, 2.4),
        _loop(20.8, 10.9, -42.0, 1.0, -3.3, 2.4),
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


def _collar(look: Look, neckline: np.ndarray) -> Piece:
    """A band along the neckline (AROUND, 3): its section as (outward, up) pairs, from the inside over the top."""
    section = {
        "crew": ((-0.75, -0.9), (-0.66, 0.05), (-0.42, 0.46), (-0.05, 0.46), (0.14, 0.18), (0.0, 0.0)),
        "turtle": ((-1.5, -0.5), (-1.45, 2.2), (-1.1, 2.6), (-0.7, 2.2), (-0.1, 0.6), (0.0, 0.0)),
    }[look.cloth_style]
    outward = neckline - neckline.mean(axis=0)
    outward[:, 1] = 0
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    up = np.array([0.0, 1.0, 0.0]) + outward * -0.25
    # It ends in the yoke's own points: two sheets that cross leave a ragged line.
    points = np.concatenate([neckline + outward * out + up * rise for out, rise in section])
    color = look.cloth_trim if look.cloth_style == "crew" else look.cloth
    tone = np.repeat([0.7, 0.95, 1.0, 1.0, 0.96, 0.85], AROUND)[:, None]
    return Piece(
        points=points,
        tris=triangles(grid_quads(len(section), AROUND, closed=True)[:, ::-1]),
        colors=np.array(color) * tone,
        head_weights=np.zeros(len(points)),
    )
