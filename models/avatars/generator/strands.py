"""The building blocks of hairstyles: strands over the skull, sheets, ribbons."""

import numpy as np

from generator.arrays import Floats
from generator.look import Look
from generator.piece import Piece, grid_quads
from generator.sculpt import Sculpt
from generator.skin import triangles

# Light passes through hair, so that even its folds are never quite dark.
LEAST_OPEN = 0.46
SKULL = np.array([0.0, 3.2, -1.0])
# Rows of the hair texture: opaque strands, and below them translucent ones.
SOLID_V, SOFT_V = (0.01, 0.49), (0.52, 0.99)


def on_skull(sculpt: Sculpt, direction: Floats, lift: Floats | float) -> Floats:
    """The point above the scalp in `direction` (..., 3) from the centre of the skull."""
    d = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    hit = sculpt.march(SKULL + d * 16, -d)
    result: Floats = hit + d * np.asarray(lift)[..., None]
    return result


def spline(knots: Floats, steps: int) -> Floats:
    """Catmull-Rom splines through knots (K, S, 3), as (S, steps, 3)."""
    padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    at = np.linspace(0, len(knots) - 1 - 1e-6, steps)
    i, t = at.astype(int), (at % 1)[:, None, None]
    a, b, c, d = padded[i], padded[i + 1], padded[i + 2], padded[i + 3]
    path = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    result: Floats = path.transpose(1, 0, 2)
    return result


def clear(sculpt: Sculpt, points: Floats, least: Floats) -> Floats:
    """Push points out of the head to a distance of at least `least`."""
    for _ in range(4):
        short = np.maximum(least - sculpt.distance(points), 0.0)
        points = points + sculpt.gradient(points) * short[..., None]
    return points


def sheet_normals(points: Floats) -> Floats:
    """Unit normals (S, T, 3) of a sheet of strands, away from the skull."""
    along, across = np.gradient(points, axis=1), np.gradient(points, axis=0)
    n = np.cross(along, across)
    n /= np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-9)
    outward = points - SKULL
    flip = np.sign((n * outward).sum(axis=-1).mean())
    result: Floats = n * flip
    return result


def locks(across: Floats, along: Floats, count: float, rng: np.random.Generator) -> Floats:
    """The ridges, 0..1, of `count` locks that lean and swell slightly along the strand."""
    wobble = rng.uniform(-0.35, 0.35, 6)
    warped = (
        across * count
        + 0.35 * np.sin(across * 9 + wobble[0] * 8)
        + 0.25 * np.sin(along * 4 + across * 13 + wobble[1] * 9)
    )
    fine = across * count * 2.7 + 0.6 * np.sin(along * 5 + wobble[2] * 9)
    result: Floats = 0.72 * np.abs(np.sin(np.pi * warped)) ** 0.7 + 0.28 * np.abs(np.sin(np.pi * fine))
    return result


def solid_v(t: Floats) -> Floats:
    return SOLID_V[0] + (SOLID_V[1] - SOLID_V[0]) * t


def soft_v(t: Floats) -> Floats:
    return SOFT_V[0] + (SOFT_V[1] - SOFT_V[0]) * t


def sheet(points: Floats, colors: Floats, tuck: Floats, flip: bool) -> Piece:
    """A piece from strands (S, T, 3) with colors of that shape. tuck: a first strand (T, 3) that rounds the edge."""
    edge = np.concatenate([tuck[None], points])
    tones = np.concatenate([colors[:1] * 0.9, colors])
    strands, steps = edge.shape[:2]
    u, v = np.meshgrid(np.linspace(0.01, 0.99, strands), np.linspace(0, 1, steps), indexing="ij")
    quads = grid_quads(strands, steps)
    return Piece(
        points=edge.reshape(-1, 3),
        tris=triangles(quads if not flip else quads[:, ::-1]),
        colors=np.clip(tones.reshape(-1, 3), 0, 255),
        uvs=np.stack([u.reshape(-1), solid_v(v.reshape(-1))], axis=1),
        least_open=LEAST_OPEN,
    )


def toned(look: Look, tone: Floats) -> Floats:
    """The lighter hair colour, which the texture darkens, times a tone (...): (..., 3)."""
    result: Floats = np.array(look.hair_light, float) * tone[..., None]
    return result


def ribbon(path: Floats, out: Floats, breadth: Floats, colors: Floats, u: float, ridge_height: float = 0.38) -> Piece:
    """A tapering lock along `path` (T, 3) with a central ridge. out: where it faces. breadth: half width in cm."""
    steps, half = len(path), np.linspace(-1, 1, 4)
    across = np.cross(np.gradient(path, axis=0), out)
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    ridge = ridge_height * (1 - half**2) - 0.63 * ridge_height
    points = (
        path[:, None]
        + across[:, None] * (breadth[:, None] * half)[..., None]
        + out[:, None] * (ridge * np.minimum(breadth, 1.0)[:, None])[..., None]
    )
    uv_u, uv_v = np.meshgrid(u + half * 0.10, np.linspace(0, 1, steps))
    tone = np.tile(0.84 + 0.22 * (1 - half**2), steps)[:, None]
    return Piece(
        points=points.reshape(-1, 3),
        tris=triangles(grid_quads(steps, 4)),
        colors=np.clip(np.repeat(colors, 4, axis=0) * tone, 0, 255),
        uvs=np.stack([uv_u.reshape(-1), solid_v(uv_v.reshape(-1))], axis=1),
        casts=False,
        least_open=LEAST_OPEN,
    )


def sample(grid: Floats, s: Floats, t: Floats) -> Floats:
    """Bilinear samples of a grid (S, T, K) at s, t in 0..1."""
    rows, columns = grid.shape[:2]
    a, b = np.clip(s, 0, 1) * (rows - 1.001), np.clip(t, 0, 1) * (columns - 1.001)
    i, j, f, g = a.astype(int), b.astype(int), (a % 1)[:, None], (b % 1)[:, None]
    result: Floats = (grid[i, j] * (1 - f) + grid[i + 1, j] * f) * (1 - g) + (
        grid[i, j + 1] * (1 - f) + grid[i + 1, j + 1] * f
    ) * g
    return result
