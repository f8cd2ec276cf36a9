"""Baked ambient occlusion, from depth maps in many directions."""

import numpy as np

from generator.arrays import Floats, Ints, Mask

DIRECTIONS, SIZE, SAMPLES = 110, 300, 420_000


def bake(points: Floats, normals: Floats, tris: Ints, seed: int = 1) -> Floats:
    """The openness (V,), 0..1, of points (V, 3) in cm among occluding triangles (F, 3)."""
    cloud = _samples(points, tris, np.random.default_rng(seed))
    lifted = points + normals * 0.18
    seen, total = np.zeros(len(points)), np.zeros(len(points))
    for direction in _sphere(DIRECTIONS):
        facing = np.clip(normals @ direction, 0, None) * (1.15 + 0.55 * direction[1])
        seen += facing * _visible(cloud, lifted, direction)
        total += facing
    result: Floats = seen / np.maximum(total, 1e-9)
    return result


def seen(points: Floats, normals: Floats, tris: Ints, seed: int = 2, turn_degrees: float = 70.0) -> Mask:
    """A mask (V,) of the points that a viewer in front can see when their part turns within the given range."""
    cloud = _samples(points, tris, np.random.default_rng(seed))
    visible = np.zeros(len(points), dtype=bool)
    for azimuth in np.radians(np.linspace(-turn_degrees, turn_degrees, 2 * round(turn_degrees / 14) + 1)):
        for elevation in np.radians((-32, -16, 0, 16, 32)):
            c = np.cos(elevation)
            direction = np.array([np.sin(azimuth) * c, np.sin(elevation), np.cos(azimuth) * c])
            visible |= _visible(cloud, points + normals * 0.12, direction) & (normals @ direction > -0.15)
    return visible


def smooth_over(values: Floats, tris: Ints, rounds: int = 3) -> Floats:
    """Average each value with its neighbours', which hides the noise of the depth maps."""
    edges = np.concatenate([tris[:, [0, 1]], tris[:, [1, 2]], tris[:, [2, 0]]])
    count = np.bincount(edges.reshape(-1), minlength=len(values))
    for _ in range(rounds):
        near = np.bincount(edges[:, 0], values[edges[:, 1]], len(values)) + np.bincount(
            edges[:, 1], values[edges[:, 0]], len(values)
        )
        values = np.where(count > 0, 0.5 * values + 0.5 * near / np.maximum(count, 1), values)
    return values


def _samples(points: Floats, tris: Ints, rng: np.random.Generator) -> Floats:
    a, b, c = points[tris[:, 0]], points[tris[:, 1]], points[tris[:, 2]]
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    pick = rng.choice(len(tris), SAMPLES, p=area / area.sum())
    r1, r2 = np.sqrt(rng.random(SAMPLES))[:, None], rng.random(SAMPLES)[:, None]
    result: Floats = (1 - r1) * a[pick] + r1 * (1 - r2) * b[pick] + r1 * r2 * c[pick]
    return result


def _sphere(count: int) -> Floats:
    i = np.arange(count) + 0.5
    y = 1 - 2 * i / count
    angle = np.pi * (1 + 5**0.5) * i
    r = np.sqrt(1 - y * y)
    return np.stack([r * np.cos(angle), y, r * np.sin(angle)], axis=1)


def _visible(cloud: Floats, lifted: Floats, direction: Floats) -> Mask:
    side = np.cross(direction, [0.3, 0.9, 0.1])
    side /= np.linalg.norm(side)
    up = np.cross(direction, side)
    basis = np.stack([side, up])
    flat, depth = cloud @ basis.T, cloud @ direction
    low, high = flat.min(axis=0), flat.max(axis=0)
    scale = (SIZE - 1) / (high - low).max()
    cell = ((flat - low) * scale).astype(int)
    nearest = np.full(SIZE * SIZE, -1e9)
    np.maximum.at(nearest, cell[:, 0] * SIZE + cell[:, 1], depth)
    at = np.clip(((lifted @ basis.T - low) * scale).astype(int), 0, SIZE - 1)
    result: Mask = lifted @ direction > nearest[at[:, 0] * SIZE + at[:, 1]] - 0.22
    return result
