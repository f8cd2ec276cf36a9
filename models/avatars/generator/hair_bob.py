"""The bob: parted at the side, swept over the forehead, jaw-length with tips turned in."""

import numpy as np

from generator import strands
from generator.arrays import Floats
from generator.look import Look
from generator.piece import Piece, grid_quads
from generator.sculpt import Sculpt
from generator.skin import triangles

# Guide strands for x > 0 (the other side is mirrored): at the face, over the ear, at the back; seven points each, root
# to tip. The parting is on the avatar's left, so that the right fringe sweeps the brow.
PART_X = 1.9
FRONT = {
    1: (
        (PART_X, 8.1, 7.2), (3.9, 7.5, 6.7), (6.0, 5.4, 5.3), (7.3, 1.8, 3.6), (7.7, -2.0, 2.8), (7.4, -5.6, 3.1),
        (6.1, -9.0, 4.1),
    ),
    -1: (
        (PART_X, 8.1, 7.2), (-1.2, 7.7, 8.4), (-4.6, 5.6, 7.6), (-7.0, 2.4, 5.0), (-7.8, -1.8, 3.6), (-7.5, -5.6, 3.6),
        (-6.0, -9.2, 4.5),
    ),
}  # fmt: skip
SIDE = (
    (1.0, 12.55, -0.6),
    (4.2, 12.0, -0.6),
    (7.05, 9.6, -0.7),
    (8.5, 5.2, -0.9),
    (8.9, -0.4, -0.9),
    (8.7, -5.2, -0.7),
    (7.0, -9.7, -0.1),
)
BACK = (
    (0.0, 11.2, -7.0),
    (0.0, 10.0, -9.2),
    (-0.2, 7.0, -10.7),
    (-0.3, 3.4, -11.4),
    (-0.3, -0.8, -11.2),
    (-0.2, -5.2, -10.2),
    (0.0, -9.4, -8.8),
)
# Single locks over the curtains: position along the curtain (0 face, 1 back); half width, extra length, lift in cm.
LOCKS = {
    1: ((0.03, 0.7, 0.4, 0.20), (0.17, 0.9, -0.3, 0.28), (0.36, 1.0, 0.3, 0.26)),
    -1: ((0.03, 0.9, 0.5, 0.22), (0.15, 1.0, 0.0, 0.30), (0.30, 1.0, 0.3, 0.26)),
}
STRANDS, STEPS = 21, 24


def solid(look: Look, sculpt: Sculpt) -> list[Piece]:
    pieces = []
    for side, own in LOCKS.items():
        points, ridge = _curtain(look, sculpt, side)
        tuck = points[0] - 0.3 * (points[0] - strands.SKULL) / np.linalg.norm(
            points[0] - strands.SKULL, axis=1, keepdims=True
        )
        tuck += 0.25 * (points[1] - points[0])
        pieces.append(
            strands.sheet(points, strands.toned(look, (0.86 + 0.16 * ridge) * _parting()), tuck, flip=side > 0)
        )
        pieces += [_lock(look, sculpt, side, *lock) for lock in own]
    return pieces


def soft(look: Look, sculpt: Sculpt) -> list[Piece]:
    """Loose strands along the front edge of the curtains and at their tips."""
    pieces = []
    for side in (1, -1):
        points, ridge = _curtain(look, sculpt, side)
        pieces += [_face_edge(look, points, side), _tips(look, points, ridge[:, -1])]
    return pieces


def _curtain(look: Look, sculpt: Sculpt, side: int) -> tuple[Floats, Floats]:
    """Strands (STRANDS, STEPS, 3), and for each point its position on the ridge of a lock, 0..1."""
    rng = np.random.default_rng(look.seed + side)
    s = np.linspace(0, 1, STRANDS) ** 1.6
    points = strands.spline(_between_guides(s, side), STEPS)
    along = np.broadcast_to(np.linspace(0, 1, STEPS), (STRANDS, STEPS))
    across = np.broadcast_to(s[:, None], (STRANDS, STEPS))
    ridge = strands.locks(across, along, 6.0, rng)
    body = np.clip(along * 6, 0, 1)
    points = strands.clear(sculpt, points, 0.22 + 0.55 * body)
    # Pushing strands out at the temple would put a kink there.
    for _ in range(3):
        points[:, 1:-1] = 0.5 * points[:, 1:-1] + 0.25 * (points[:, :-2] + points[:, 2:])
    points[..., 1] += (along**3) * 0.7 * (ridge - 0.5)
    points = points + strands.sheet_normals(points) * (0.28 * (ridge - 0.6) * body)[..., None]
    return points, ridge


def _parting() -> Floats:
    """The tone of each step along a strand, (1, STEPS): hair is darkest where it parts."""
    return np.interp(np.linspace(0, 1, STEPS), [0, 0.04, 0.16, 0.85, 1], [0.55, 0.78, 1.0, 1.0, 0.86])[None]


def _face_edge(look: Look, points: Floats, side: int) -> Piece:
    """A strip from inside the curtain to just beyond its edge, thinning towards the face."""
    inner, edge = points[2], points[0]
    t = np.linspace(0, 1, STEPS)
    away = edge - points[1]
    away /= np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
    reach = np.interp(t, [0, 0.12, 0.5, 1], [0.1, 0.45, 0.60, 0.40])[:, None]
    lift = strands.sheet_normals(points)
    rows = np.stack([inner + 0.12 * lift[2], edge + 0.12 * lift[0], edge + away * reach + 0.02 * lift[0]])
    u = np.array([0.52, 0.72, 0.99])
    return _card(look, rows, np.full(3 * STEPS, 0.85), u[:, None] + 0 * t, t + 0 * u[:, None], flip=side > 0)


def _tips(look: Look, points: Floats, ridge: Floats) -> Piece:
    """A hem below the curtain with strands of irregular length."""
    last, before = points[:, -1], points[:, -5]
    down = last - before
    down /= np.maximum(np.linalg.norm(down, axis=1, keepdims=True), 1e-9)
    outward = 0.05 * strands.sheet_normals(points)[:, -1]
    rows = np.stack([before + outward, last + outward, last + 1.1 * down], axis=0)
    # Hair at the back is in the shadow of the head.
    tone = np.tile((0.72 + 0.24 * ridge) * np.linspace(1.0, 0.4, STRANDS), 3)
    u = np.linspace(0.02, 0.48, STRANDS)
    return _card(look, rows, tone, u, np.array([0.02, 0.42, 0.98]), flip=True)


def _card(look: Look, rows: Floats, tone: Floats, u: Floats, t: Floats, flip: bool) -> Piece:
    """A translucent card of strands, rows (R, N, 3); tone (R * N,); u and t are broadcast to (R, N)."""
    count, columns = rows.shape[:2]
    across, along = np.broadcast_arrays(u if u.ndim == 2 else u[None], t if t.ndim == 2 else t[:, None])
    quads = grid_quads(count, columns)
    return Piece(
        points=rows.reshape(-1, 3),
        tris=triangles(quads[:, ::-1] if flip else quads),
        colors=strands.toned(look, tone),
        uvs=np.stack([across.reshape(-1), strands.soft_v(along.reshape(-1))], axis=1),
        casts=False,
        least_open=0.6,
    )


def _lock(look: Look, sculpt: Sculpt, side: int, at: float, width: float, longer: float, lift: float) -> Piece:
    """A tapering lock with a central ridge, on top of the curtain."""
    steps = 18
    path = strands.spline(_between_guides(np.array([at]), side), steps)[0]
    t = np.linspace(0, 1, steps)
    path[:, 1] -= longer * t**3
    path = strands.clear(sculpt, path, 0.10 + 0.92 * np.clip(t * 6, 0, 1) + lift * np.clip(t * 4, 0, 1))
    out = path - strands.SKULL * np.array([0, 1, 1]) * np.clip(1 - t, 0, 1)[:, None] - np.outer(t, [0, -6.0, -1.0])
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    breadth = width * np.interp(t, [0, 0.15, 0.45, 0.8, 1], [0.03, 0.6, 1.0, 0.72, 0.05])
    return strands.ribbon(path, out, breadth, strands.toned(look, np.full(steps, 0.92)), 0.2 + 0.6 * at)


def _between_guides(s: Floats, side: int) -> Floats:
    """Knots (7, S, 3) for strands at s: 0 at the face, 0.5 over the ear, 1 at the back."""
    mirror = np.array([side, 1, 1])
    middle = np.array(SIDE) * mirror
    middle[0, 0] = SIDE[0][0]
    front, back = np.array(FRONT[side]), np.array(BACK) * mirror
    a, b, c = (2 * (s - 0.5) * (s - 1)), (4 * s * (1 - s)), (2 * s * (s - 0.5))
    return np.stack(
        [np.outer(a, f) + np.outer(b, m) + np.outer(c, k) for f, m, k in zip(front, middle, back, strict=True)]
    )
