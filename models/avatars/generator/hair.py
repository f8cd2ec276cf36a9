"""Hair as sculpted sheets: strands from a root line to a tip line, ridged into locks, over the skull's own surface."""

import numpy as np

from generator.look import Look
from generator.paint import smooth_noise
from generator.piece import Piece, grid_quads
from generator.sculpt import Sculpt
from generator.skin import triangles

# Light seeps through hair: even its folds are never quite dark.
LEAST_OPEN = 0.38
SKULL = np.array([0.0, 3.2, -1.0])


def hair(look: Look, sculpt: Sculpt) -> list[Piece]:
    return STYLES[look.hair_style](look, sculpt)


def _on_skull(sculpt: Sculpt, direction: np.ndarray, lift: np.ndarray | float) -> np.ndarray:
    """The point above the scalp in `direction` (..., 3) from the skull's middle."""
    d = direction / np.linalg.norm(direction, axis=-1, keepdims=True)
    hit = sculpt.march(SKULL + d * 16, -d)
    return hit + d * np.asarray(lift)[..., None]


def _compass(azimuth: np.ndarray, elevation: np.ndarray) -> np.ndarray:
    """Degrees, azimuth 0 to the viewer and 90 to the avatar's left, to a direction."""
    a, e = np.radians(azimuth), np.radians(elevation)
    return np.stack([np.sin(a) * np.cos(e), np.sin(e) * np.ones_like(a), np.cos(a) * np.cos(e)], axis=-1)


def _spline(knots: np.ndarray, steps: int) -> np.ndarray:
    """Catmull-Rom through knots (K, S, 3) to (S, steps, 3)."""
    padded = np.concatenate([2 * knots[:1] - knots[1:2], knots, 2 * knots[-1:] - knots[-2:-1]])
    at = np.linspace(0, len(knots) - 1 - 1e-6, steps)
    i, t = at.astype(int), (at % 1)[:, None, None]
    a, b, c, d = padded[i], padded[i + 1], padded[i + 2], padded[i + 3]
    path = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return path.transpose(1, 0, 2)


def _clear(sculpt: Sculpt, points: np.ndarray, least: np.ndarray) -> np.ndarray:
    """Points pushed out of the head until they are `least` away from it."""
    for _ in range(4):
        short = np.maximum(least - sculpt.distance(points), 0.0)
        points = points + sculpt.gradient(points) * short[..., None]
    return points


def _sheet_normals(points: np.ndarray) -> np.ndarray:
    along, across = np.gradient(points, axis=1), np.gradient(points, axis=0)
    n = np.cross(along, across)
    n /= np.maximum(np.linalg.norm(n, axis=-1, keepdims=True), 1e-9)
    outward = points - SKULL
    flip = np.sign((n * outward).sum(axis=-1).mean())
    return n * flip


def _locks(across: np.ndarray, along: np.ndarray, count: float, rng: np.random.Generator) -> np.ndarray:
    """Ridges 0..1 of `count` locks that lean and swell a little along the strand."""
    wobble = rng.uniform(-0.35, 0.35, 6)
    warped = (
        across * count
        + 0.35 * np.sin(across * 9 + wobble[0] * 8)
        + 0.25 * np.sin(along * 4 + across * 13 + wobble[1] * 9)
    )
    fine = across * count * 2.7 + 0.6 * np.sin(along * 5 + wobble[2] * 9)
    return 0.72 * np.abs(np.sin(np.pi * warped)) ** 0.7 + 0.28 * np.abs(np.sin(np.pi * fine))


def _sheet(points: np.ndarray, look: Look, tuck: np.ndarray, flip: bool, tone: np.ndarray) -> Piece:
    """A piece from strands (S, T, 3); `tuck` (T, 3) is added before the first strand, so that its edge is round."""
    edge = np.concatenate([tuck[None], points])
    strands, steps = edge.shape[:2]
    u, v = np.meshgrid(np.linspace(0.01, 0.99, strands), np.linspace(0, 1, steps), indexing="ij")
    quads = grid_quads(strands, steps)
    tone = np.concatenate([tone[:1] * 0.8, tone])
    colors = np.array(look.hair_light) * tone.reshape(-1)[:, None]
    return Piece(
        points=edge.reshape(-1, 3),
        tris=triangles(quads if not flip else quads[:, ::-1]),
        colors=np.clip(colors, 0, 255),
        uvs=np.stack([u.reshape(-1), v.reshape(-1)], axis=1),
        least_open=LEAST_OPEN,
    )


def hair_texture(look: Look, width: int = 512, height: int = 128) -> np.ndarray:
    """Strands: fine and broad streaks across u, darker at the root; white is hair_light."""
    if look.hair_style == "curls":
        return coil_texture(look)
    rng = np.random.default_rng(look.seed + 7)
    dark = np.array(look.hair) / np.maximum(np.array(look.hair_light), 1)
    at = np.linspace(0, 1, width)
    streak = np.zeros((height, width))
    for cells, weight in ((26, 0.3), (70, 0.35), (170, 0.35)):
        drift = rng.random((3, cells + 2))
        rows = np.linspace(0, 1.999, height)
        i = rows.astype(int)
        table = np.stack([np.interp(at * cells, np.arange(cells + 2), row) for row in drift])
        streak += weight * (table[i] * (1 - rows % 1)[:, None] + table[i + 1] * (rows % 1)[:, None])
    v = np.linspace(0, 1, height)[:, None]
    light = np.clip((streak - 0.30) * 1.7, 0, 1) * (0.35 + 0.65 * np.clip(v * 2.2, 0, 1))
    color = dark + (1 - dark) * light[..., None]
    picture = np.full((height, width, 4), 255, dtype=np.uint8)
    picture[..., :3] = np.clip(np.rint(color * 127) * 2, 0, 255)
    return picture


# Guides of the bob for the side with x > 0 (the other is mirrored): the strand at the face, over the ear, and at the
# back; seven points each, root to tip. The parting lies on the avatar's left, so that the right fringe sweeps the brow.
PART_X = 1.9
FRONT = {
    1: (
        (PART_X, 8.3, 6.9), (3.9, 7.6, 6.4), (6.0, 5.3, 5.0), (7.3, 1.8, 3.5), (7.7, -2.0, 2.8), (7.4, -5.6, 3.1),
        (6.3, -9.0, 3.9),
    ),
    -1: (
        (PART_X, 8.3, 6.9), (-1.2, 7.7, 8.1), (-4.6, 5.5, 7.3), (-7.0, 2.2, 4.8), (-7.7, -1.8, 3.5), (-7.4, -5.6, 3.5),
        (-6.2, -9.2, 4.2),
    ),
}  # fmt: skip
SIDE = (
    (1.2, 12.2, -0.4),
    (4.8, 11.6, -0.5),
    (7.4, 8.4, -0.7),
    (8.5, 4.0, -0.9),
    (8.8, -0.8, -0.9),
    (8.6, -5.2, -0.7),
    (7.4, -9.6, -0.3),
)
BACK = (
    (0.0, 10.4, -7.0),
    (0.0, 9.4, -9.2),
    (-0.2, 7.0, -10.7),
    (-0.3, 3.4, -11.4),
    (-0.3, -0.8, -11.2),
    (-0.2, -5.2, -10.2),
    (0.0, -9.4, -8.8),
)


# Single locks over the curtains: where along the curtain (0 face, 1 back), and in cm half width, how much longer, lift.
LOCKS = {
    1: ((0.03, 0.7, 0.4, 0.20), (0.17, 0.9, -0.3, 0.28), (0.36, 1.0, 0.3, 0.26)),
    -1: ((0.03, 0.9, 0.5, 0.22), (0.15, 1.0, 0.0, 0.30), (0.30, 1.0, 0.3, 0.26)),
}


def bob(look: Look, sculpt: Sculpt) -> list[Piece]:
    """Side-parted, swept over the forehead, down to the jaw, tips turned in."""
    curtains = [_curtain(look, sculpt, side) for side in (1, -1)]
    return curtains + [_lock(look, sculpt, side, *lock) for side, locks in LOCKS.items() for lock in locks]


def _curtain(look: Look, sculpt: Sculpt, side: int, strands: int = 22, steps: int = 28) -> Piece:
    rng = np.random.default_rng(look.seed + side)
    s = np.linspace(0, 1, strands) ** 1.6
    points = _spline(_between_guides(s, side), steps)
    along = np.broadcast_to(np.linspace(0, 1, steps), (strands, steps))
    across = np.broadcast_to(s[:, None], (strands, steps))
    ridge = _locks(across, along, 6.0, rng)
    body = np.clip(along * 6, 0, 1)
    points = _clear(sculpt, points, 0.22 + 0.55 * body)
    points[..., 1] += (along**3) * 0.9 * (ridge - 0.5)
    points = points + _sheet_normals(points) * (0.5 * (ridge - 0.6) * body)[..., None]
    tuck = points[0] - 0.5 * (points[0] - SKULL) / np.linalg.norm(points[0] - SKULL, axis=1, keepdims=True)
    tuck += 0.25 * (points[1] - points[0])
    return _sheet(points, look, tuck, flip=side > 0, tone=0.78 + 0.27 * ridge)


def _lock(look: Look, sculpt: Sculpt, side: int, at: float, width: float, longer: float, lift: float) -> Piece:
    """A tapering strand with a ridge in the middle, lying on the curtain."""
    steps, half = 24, np.linspace(-1, 1, 4)
    path = _spline(_between_guides(np.array([at]), side), steps)[0]
    t = np.linspace(0, 1, steps)
    path[:, 1] -= longer * t**3
    path = _clear(sculpt, path, 0.30 + 0.72 * np.clip(t * 6, 0, 1) + lift * np.clip(t * 4, 0, 1))
    out = path - SKULL * np.array([0, 1, 1]) * np.clip(1 - t, 0, 1)[:, None] - np.outer(t, [0, -6.0, -1.0])
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    across = np.cross(np.gradient(path, axis=0), out)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    breadth = width * np.interp(t, [0, 0.12, 0.45, 0.8, 1], [0.25, 0.75, 1.0, 0.72, 0.05])
    ridge = 0.38 * (1 - half**2) - 0.24
    points = (
        path[:, None]
        + across[:, None] * (breadth[:, None] * half)[..., None]
        + out[:, None] * (ridge * np.minimum(breadth, 1.0)[:, None])[..., None]
    )
    tone = 0.72 + 0.22 * (1 - half**2)
    u = 0.2 + 0.6 * at + half * 0.14
    uv_u, uv_v = np.meshgrid(u, t)
    return Piece(
        points=points.reshape(-1, 3),
        tris=triangles(grid_quads(steps, 4)),
        colors=np.clip(np.array(look.hair_light) * np.tile(tone, steps)[:, None], 0, 255),
        uvs=np.stack([uv_u.reshape(-1), uv_v.reshape(-1)], axis=1),
        casts=False,
        least_open=LEAST_OPEN,
    )


def _between_guides(s: np.ndarray, side: int) -> np.ndarray:
    """Knots (7, S, 3) for strands at s: 0 at the face, 0.5 over the ear, 1 at the back."""
    mirror = np.array([side, 1, 1])
    middle = np.array(SIDE) * mirror
    middle[0, 0] = SIDE[0][0]
    front, back = np.array(FRONT[side]), np.array(BACK) * mirror
    a, b, c = (2 * (s - 0.5) * (s - 1)), (4 * s * (1 - s)), (2 * s * (s - 0.5))
    return np.stack(
        [np.outer(a, f) + np.outer(b, m) + np.outer(c, k) for f, m, k in zip(front, middle, back, strict=True)]
    )


# Directions from SKULL and lifts above the scalp, root to tip, for hair combed back from the hairline: over the middle,
# at the temple, and at the sideburn, from where it runs over the ear.
BACK_GUIDES = np.array(
    [
        ((0, 4.9, 8.3), (0, 8.2, 6.4), (0, 9.8, 0), (0, 6.0, -7.6), (0, -1.0, -9.4), (0, -6.5, -8.4)),
        ((5.2, 2.7, 5.6), (5.6, 5.6, 3.8), (5.4, 7.0, -1.6), (3.8, 4.6, -7.2), (2.2, -1.5, -9.2), (1.2, -6.5, -8.3)),
        ((6.7, -4.6, 2.7), (7.2, -0.7, 1.4), (7.0, 0.0, -2.2), (6.0, -2.5, -5.6), (4.6, -4.5, -7.2), (3.4, -7.2, -7.4)),
    ],
    dtype=float,
)
SHORT_LIFT = np.array(
    [(0.10, 1.45, 1.35, 0.9, 0.7, 0.4), (0.10, 0.85, 1.0, 0.8, 0.6, 0.4), (0.05, 0.32, 0.36, 0.4, 0.4, 0.3)]
)
CURLS_LIFT = np.array(
    [(0.25, 2.5, 3.9, 3.9, 3.2, 1.4), (0.25, 2.4, 3.9, 3.9, 3.2, 1.4), (0.15, 1.7, 2.7, 2.9, 2.4, 1.2)]
)


def _swept_back(sculpt: Sculpt, lift: np.ndarray, strands: int, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Strands (S, T, 3) from sideburn to sideburn, and where each lies, -1..1."""
    s = np.linspace(-1, 1, strands)
    t = np.abs(s)
    a, b, c = 2 * (t - 0.5) * (t - 1), 4 * t * (1 - t), 2 * t * (t - 0.5)
    share = np.stack([a, b, c])
    directions = np.einsum("gs,gkx->ksx", share, BACK_GUIDES)
    directions[..., 0] *= np.sign(s)
    lifts = np.einsum("gs,gk->ks", share, lift)
    knots = np.stack([_on_skull(sculpt, d, np.maximum(up, 0.04)) for d, up in zip(directions, lifts, strict=True)])
    return _spline(knots, steps), s


def short(look: Look, sculpt: Sculpt) -> list[Piece]:
    """Combed up and back from the forehead, close at the sides."""
    rng = np.random.default_rng(look.seed)
    strands, steps = 55, 18
    points, s = _swept_back(sculpt, SHORT_LIFT, strands, steps)
    along = np.broadcast_to(np.linspace(0, 1, steps), (strands, steps))
    body = np.clip(along * 5, 0, 1)
    ridge = _locks(np.broadcast_to(0.5 + 0.5 * s[:, None], (strands, steps)) + 0.06 * along, along, 9.0, rng)
    thick = 0.10 + 0.26 * np.clip(1.15 - np.abs(s), 0, 1)[:, None]
    points = _clear(sculpt, points, 0.10 + 0.25 * body)
    points = points + _sheet_normals(points) * (thick * (ridge - 0.5) * body)[..., None]
    tuck = points[0] + (SKULL - points[0]) * 0.04
    return [_sheet(points, look, tuck, flip=False, tone=0.78 + 0.27 * ridge)]


def curls(look: Look, sculpt: Sculpt) -> list[Piece]:
    """A round cloud of coils."""
    rng = np.random.default_rng(look.seed)
    strands, steps = 47, 22
    points, _ = _swept_back(sculpt, CURLS_LIFT, strands, steps)
    points = _clear(sculpt, points, np.full((strands, steps), 0.15))
    centers = points.reshape(-1, 3)[rng.choice(strands * steps, 330, replace=False)]
    distance = np.linalg.norm(points[:, :, None] - centers, axis=-1).min(axis=-1)
    bump = np.sqrt(np.clip(1 - (distance / 1.25) ** 2, 0, 1))
    body = np.clip(np.linspace(0, 1, steps) * 7, 0.25, 1)
    points = points + _sheet_normals(points) * (0.85 * (bump - 0.35) * body)[..., None]
    tuck = points[0] + (SKULL - points[0]) * 0.08
    return [_sheet(points, look, tuck, flip=False, tone=0.62 + 0.42 * bump)]


def coil_texture(look: Look, size: int = 512) -> np.ndarray:
    """Fine wandering lines, the contours of smooth noise: coils seen from a step away."""
    rng = np.random.default_rng(look.seed + 9)
    field = sum(smooth_noise(rng, size, cells) / cells for cells in (18, 34, 60)) * 18
    light = 0.5 + 0.5 * np.cos(field * 34)
    broad = smooth_noise(rng, size, 14)
    dark = np.array(look.hair) / np.maximum(np.array(look.hair_light), 1)
    color = dark + (1 - dark) * (0.55 * light * (0.4 + 0.6 * broad))[..., None]
    picture = np.full((size, size, 4), 255, dtype=np.uint8)
    picture[..., :3] = np.clip(np.rint(color * 63) * 4, 0, 255)
    return picture


STYLES = {"bob": bob, "short": short, "curls": curls}
