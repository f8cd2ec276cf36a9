"""Ambient occlusion for every vertex, from depth maps of the figure in many directions.

The depth maps are drawn from points sampled on the triangles, which is accurate enough for light that varies slowly.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.bake.geometry import places

Floats = NDArray[np.float32]
DIRECTIONS: Final = 48
MAP_SIDE: Final = 160
POINTS_PER_TEXEL: Final = 4
# How much nearer an occluder must be, in texels, so that a vertex is not hidden by its own triangle.
BIAS_TEXELS: Final = 2.2
SMOOTHINGS: Final = 3


def openness(positions: Floats, normals: Floats, tris: NDArray[np.int64]) -> Floats:
    """(V,), 0 occluded .. 1 open. positions, normals: (V, 3). tris: (F, 3), the triangles that occlude."""
    points = _sampled(positions, tris)
    center: Floats = (points.min(axis=0) + points.max(axis=0)) * np.float32(0.5)
    radius = float(np.linalg.norm(points - center, axis=1).max()) or 1.0
    texel = 2 * radius / (MAP_SIDE - 4)
    lifted = positions + normals * np.float32(texel)
    open_ = np.zeros(len(positions), dtype=np.float32)
    total = np.full(len(positions), 1e-6, dtype=np.float32)
    for direction in _sphere(DIRECTIONS):
        facing = np.maximum(normals @ direction, 0) * np.float32(0.6 + 0.4 * direction[1])
        total += facing
        open_ += facing * _lit(points - center, lifted - center, direction, radius, texel)
    return _smoothed(np.clip(open_ / total, 0, 1), tris, places(positions))


def _smoothed(values: Floats, tris: NDArray[np.int64], place: NDArray[np.int64]) -> Floats:
    """Each vertex's value (V,) averaged with its neighbours', because random sampling leaves blotches."""
    count = int(place.max(initial=-1)) + 1
    at = place[tris]
    pairs = np.concatenate([at[:, [0, 1]], at[:, [1, 2]], at[:, [2, 0]]])
    ends, others = np.concatenate([pairs, pairs[:, ::-1]]).T
    near = np.maximum(np.bincount(ends, minlength=count), 1)
    value = np.bincount(place, values, count) / np.maximum(np.bincount(place, minlength=count), 1)
    alone = np.bincount(ends, minlength=count) == 0
    for _ in range(SMOOTHINGS):
        around = np.bincount(ends, value[others], count) / near
        value = np.where(alone, value, 0.5 * (value + around))
    smooth: Floats = value[place].astype(np.float32)
    return smooth


def _lit(points: Floats, vertices: Floats, direction: Floats, radius: float, texel: float) -> Floats:
    side = np.array([direction[1], -direction[0], 0]) if abs(direction[2]) < 0.9 else np.array([1.0, 0, 0])
    right = np.cross(direction, side)
    right = (right / np.linalg.norm(right)).astype(np.float32)
    up = np.cross(right, direction)
    depth = np.full(MAP_SIDE * MAP_SIDE, -np.inf, dtype=np.float32)
    np.maximum.at(depth, _texels(points, right, up, radius), points @ direction)
    margin = (depth[_texels(vertices, right, up, radius)] - vertices @ direction) / np.float32(texel)
    # A soft edge of one texel, because sampled points fall on either side of a vertex.
    return np.clip(BIAS_TEXELS + 1 - margin, 0, 1)


def _texels(points: Floats, right: Floats, up: Floats, radius: float) -> NDArray[np.intp]:
    scale = np.float32((MAP_SIDE - 4) / (2 * radius))
    x = ((points @ right) * scale + np.float32(MAP_SIDE / 2)).astype(np.intp)
    y = ((points @ up) * scale + np.float32(MAP_SIDE / 2)).astype(np.intp)
    return np.clip(y, 0, MAP_SIDE - 1) * MAP_SIDE + np.clip(x, 0, MAP_SIDE - 1)


def _sampled(positions: Floats, tris: NDArray[np.int64]) -> Floats:
    a, b, c = (positions[tris[:, k]].astype(np.float64) for k in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    span = float(np.ptp(positions, axis=0).max()) or 1.0
    count = int(np.clip(POINTS_PER_TEXEL * area.sum() / 2 / (span / MAP_SIDE) ** 2, 20_000, 150_000))
    rng = np.random.default_rng(0)
    chosen = rng.choice(len(tris), size=count, p=area / area.sum()) if area.sum() > 0 else np.zeros(1, dtype=np.intp)
    u, v = rng.random((2, len(chosen), 1))
    over = u + v > 1
    u, v = np.where(over, 1 - u, u), np.where(over, 1 - v, v)
    inside = a[chosen] * (1 - u - v) + b[chosen] * u + c[chosen] * v
    points: Floats = np.concatenate([inside, positions]).astype(np.float32)
    return points


def _sphere(count: int) -> Floats:
    """Evenly distributed directions (a Fibonacci lattice), float32 (count, 3)."""
    k = np.arange(count) + 0.5
    y, turn = 1 - 2 * k / count, k * (np.pi * (3 - np.sqrt(5)))
    ring = np.sqrt(1 - y * y)
    lattice: Floats = np.stack([ring * np.cos(turn), y, ring * np.sin(turn)], axis=1).astype(np.float32)
    return lattice
