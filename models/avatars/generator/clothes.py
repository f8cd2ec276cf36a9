"""Clothes: a top with a collar, lofted from the neck over the shoulders; optionally an open jacket."""

import numpy as np

from generator import strands
from generator.arrays import Floats, Ints, Vector
from generator.fabric import PLAIN_UV
from generator.look import Look
from generator.piece import Piece, grid_quads
from generator.sculpt import Sculpt
from generator.skin import triangles

AROUND = 44
# How many cm of cloth one repeat of the texture covers.
REPEAT_CM = 5.0
# Rings from the neckline down: x radius, z radius, height, drop of the front, z of the centre, squareness.
RINGS = (
    (6.3, 5.5, -14.1, 2.7, -3.6, 2.0),
    (8.0, 6.3, -14.8, 3.4, -3.6, 2.1),
    (10.4, 7.2, -15.6, 4.3, -3.6, 2.2),
    (13.2, 8.0, -16.7, 5.0, -3.5, 2.3),
    (15.8, 8.7, -18.1, 5.6, -3.4, 2.35),
    (18.0, 9.4, -20.1, 6.2, -3.3, 2.4),
    (19.6, 10.0, -23.3, 6.0, -3.3, 2.4),
    (20.4, 10.6, -27.7, 5.0, -3.3, 2.4),
    (20.8, 10.9, -33.1, 4.0, -3.3, 2.4),
    (20.8, 10.9, -41.1, 1.0, -3.3, 2.4),
)


def _loop(ring: Vector, angle: Floats) -> Floats:
    """The points of a ring at the given angles, 0 at the front."""
    rx, rz, y, front_drop, z, square = ring
    c, s = np.cos(angle), np.sin(angle)
    x = rx * np.sign(s) * np.abs(s) ** (2 / square)
    zz = rz * np.sign(c) * np.abs(c) ** (2 / square)
    return np.stack([x, y - front_drop * (c * 0.5 + 0.5) ** 1.3, z + zz], axis=-1)


def clothes(look: Look, sculpt: Sculpt) -> list[Piece]:
    """All pieces of the cloth part, kept outside the body."""
    angle = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)
    points = np.concatenate([_loop(ring, angle) for ring in RINGS])
    points[: 4 * AROUND, 1] -= _opening(look.cloth_style, angle)
    points = _outside(sculpt, points, 0.45)
    color = np.maximum(look.cloth, look.dots or (0, 0, 0))
    top = _draped(points, grid_quads(len(RINGS), AROUND, closed=True)[:, ::-1], color)
    pieces = [top, COLLARS[look.cloth_style](look, points[:AROUND], sculpt)]
    return pieces + (_jacket(look, sculpt) if look.jacket else [])


# How far each neckline is lower in front, in cm, and its half width as an angle.
OPENINGS = {"scoop": (1.3, 0.8), "shirt": (1.2, 0.36)}


def _opening(style: str, angle: Floats) -> Floats:
    """How much lower the first four rings are, (4 * AROUND,)."""
    depth, width = OPENINGS.get(style, (0.0, 1.0))
    off = (angle + np.pi) % (2 * np.pi) - np.pi
    result: Floats = np.outer((1.0, 0.75, 0.45, 0.2), depth * np.exp(-((off / width) ** 2))).reshape(-1)
    return result


def _outside(sculpt: Sculpt, points: Floats, least: float) -> Floats:
    result: Floats = points + sculpt.gradient(points) * np.clip(least - sculpt.distance(points), 0, 3)[:, None]
    return result


def _draped(points: Floats, quads: Ints, color: Floats) -> Piece:
    """A piece of cloth, which does not turn with the head but rises with the breath."""
    x = points[:, 0]
    return Piece(
        points=points,
        tris=triangles(quads),
        colors=np.broadcast_to(color, points.shape),
        uvs=np.stack([x / REPEAT_CM, (points[:, 1] - 0.35 * x**2 / (np.abs(x) + 5.0)) / REPEAT_CM], axis=1),
        head_weights=np.zeros(len(points)),
        targets={"breath": _breath(points)},
    )


def _breath(points: Floats) -> Floats:
    front = np.clip(points[:, 2] / 8, 0, 1)
    breath = np.zeros_like(points)
    chest = np.exp(-(((points[:, 1] + 25) / 7) ** 2)) * np.exp(-((points[:, 0] / 13) ** 2))
    breath[:, 2] = 0.45 * chest * front
    breath[:, 1] = 0.28 * np.clip((points[:, 1] + 40) / 15, 0, 1) * np.clip(np.abs(points[:, 0]) / 8, 0.3, 1)
    return breath


def _crew(look: Look, neckline: Floats, _sculpt: Sculpt) -> Piece:
    """A band along the neckline. Its cross-section is (outward, up) pairs, from the inside over the top."""
    section = ((-0.75, -0.9), (-0.66, 0.05), (-0.42, 0.46), (-0.05, 0.46), (0.14, 0.18), (0.0, 0.0))
    outward = neckline - neckline.mean(axis=0)
    outward[:, 1] = 0
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    up = np.array([0.0, 1.0, 0.0]) + outward * -0.25
    # It ends at points of the yoke, because two intersecting sheets leave a ragged line.
    points = np.concatenate([neckline + outward * out + up * rise for out, rise in section])
    return _collar(points, np.array(look.cloth_trim, float), (0.7, 0.95, 1.0, 1.0, 0.96, 0.85), ribbed=False)


# The folded collar from the inside over the top: cm from the neck, cm below its upper edge.
FOLD = ((0.10, 0.9), (0.16, 0.12), (0.40, 0.0), (0.72, 0.22), (0.82, 1.1), (0.72, 2.05), (0.40, 2.25))
COLLAR_TOP_Y, COLLAR_TILT = -12.3, 1.5


def _turtle(look: Look, neckline: Floats, sculpt: Sculpt) -> Piece:
    """A folded, knitted collar around the neck."""
    axis = np.array([0.0, 0.0, -3.3])
    outward = neckline - axis
    outward[:, 1] = 0
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    top = COLLAR_TOP_Y - COLLAR_TILT * (0.5 + 0.5 * outward[:, 2])
    rings = []
    for off, below in FOLD:
        start = axis + outward * 16.0
        start[:, 1] = top - below
        rings.append(sculpt.march(start, -outward) + outward * off)
    rings += [0.5 * (rings[-1] + neckline), neckline]
    tones = (0.5, 0.8, 1.0, 1.0, 0.98, 0.85, 0.6, 0.85, 1.0)
    return _collar(np.concatenate(rings), np.array(look.cloth, float), tones, ribbed=True)


# A shirt's collar, from the inside of its stand over its upper edge: cm from the neck, cm below that edge. Two more
# rows fold down onto the shirt.
STAND = ((0.30, 1.6), (0.32, 0.1), (0.46, 0.0), (0.62, 0.14))
# The angle from the middle at which each of the six rows begins: the edges of the leaves slant to their points.
LEAF_EDGE = (0.10, 0.10, 0.10, 0.12, 0.22, 0.36)


def _shirt(look: Look, _neckline: Floats, sculpt: Sculpt) -> Piece:
    """A collar that stands around the neck, folds over and ends in two points in front."""
    angles = [np.linspace(edge, 2 * np.pi - edge, AROUND) for edge in LEAF_EDGE]
    rings = [_stand(sculpt, angle, *row) for row, angle in zip(STAND, angles, strict=False)]
    # Each leaf is longest at its point.
    from_front = np.minimum(angles[-1], 2 * np.pi - angles[-1])
    along = (0.12 + 0.95 * np.exp(-((from_front / 0.62) ** 2)))[:, None]
    outward = np.stack([np.sin(angles[-1]), np.zeros(AROUND), np.cos(angles[-1])], axis=1)
    end = _loop(RINGS[0], angles[-1]) * (1 - along) + _loop(RINGS[1], angles[-1]) * along
    end += 0.25 * outward + np.array([0.0, 0.45, 0.0])
    middle = 0.5 * (_stand(sculpt, angles[-2], *STAND[-1]) + end) + 0.30 * outward + np.array([0.0, 0.25, 0.0])
    tones = (0.55, 0.85, 1.0, 1.02, 1.0, 0.94)
    points = np.concatenate([*rings, middle, end])
    return _collar(points, np.array(look.cloth_trim, float), tones, ribbed=False, closed=False)


def _stand(sculpt: Sculpt, angle: Floats, off: float, below: float) -> Floats:
    """A row around the neck, `off` cm from it and `below` cm under the upper edge, which is lower in front."""
    y = COLLAR_TOP_Y - 0.6 - 2.4 * (0.5 + 0.5 * np.cos(angle)) ** 1.5 - below
    down = (-6.0 - y) / 18.0
    radius = sculpt.p.neck_radius + 0.7 * down + off
    return np.stack([radius * np.sin(angle), y, radius * np.cos(angle) - 2.4 - 1.6 * down], axis=1)


COLLARS = {"crew": _crew, "turtle": _turtle, "scoop": _crew, "shirt": _shirt}


def _collar(points: Floats, color: Floats, tones: tuple[float, ...], ribbed: bool, closed: bool = True) -> Piece:
    rows = len(tones)
    u, v = np.meshgrid(np.linspace(0, 8, AROUND + 1)[:-1], np.linspace(0, 0.5, rows))
    if not ribbed:
        u, v = np.full_like(u, PLAIN_UV[0]), np.full_like(v, PLAIN_UV[1])
    return Piece(
        points=points,
        tris=triangles(grid_quads(rows, AROUND, closed=closed)[:, ::-1]),
        colors=color * np.repeat(tones, AROUND)[:, None],
        uvs=np.stack([u.reshape(-1), v.reshape(-1)], axis=1),
        head_weights=np.zeros(len(points)),
    )


# The jacket's front edge at each ring of RINGS: its angle from the front, and the width of the lapel in cm.
EDGE = (1.45, 0.86, 0.50, 0.29, 0.18, 0.11, 0.06, 0.02, 0.0, 0.0)
LAPEL = (1.0, 1.9, 2.7, 3.2, 3.1, 2.6, 1.8, 0.9, 0.2, 0.0)
JACKET_COLUMNS, LAPEL_COLUMNS = 21, 4
JACKET_LIFT, LAPEL_LIFT = 0.75, 1.2
LAPEL_TONES = (0.80, 1.15, 1.15, 0.70)


def _jacket(look: Look, sculpt: Sculpt) -> list[Piece]:
    """A shell over the top, open in front, with two lapels."""
    color = np.array(look.jacket, float)
    rows = []
    for ring, edge, _ in _jacket_rings():
        angle = np.linspace(edge, 2 * np.pi - edge, JACKET_COLUMNS)
        rows.append(_lifted(ring, angle, JACKET_LIFT * np.ones(JACKET_COLUMNS)))
    points = _outside(sculpt, np.concatenate(rows), 0.6)
    shell = _draped(points, grid_quads(len(rows), JACKET_COLUMNS)[:, ::-1], color)
    return [shell, *(_lapel(color, side) for side in (1, -1))]


def _jacket_rings() -> list[tuple[Vector, float, float]]:
    """RINGS with EDGE and LAPEL, and further ones between them where the lapel curves most."""
    table = np.column_stack([RINGS, EDGE, LAPEL])
    fine = strands.spline(table[:, None], 2 * len(RINGS) - 1)[0]
    kept = [row for number, row in enumerate(fine) if number < 11 or number % 2 == 0]
    return [(tuple(row[:6]), float(row[6]), max(0.0, float(row[7]))) for row in kept]


def _lifted(ring: Vector, angle: Floats, lift: Floats) -> Floats:
    points = _loop(ring, angle)
    out = points - np.array([0.0, 0.0, ring[4]])
    out[:, 1] = 6.0  # on the shoulders, outwards is up
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    result: Floats = points + out * lift[:, None]
    return result


def _lapel(color: Floats, side: int) -> Piece:
    """A shawl collar: a strip folded out of the front edge, from the nape down."""
    rows = []
    share = np.linspace(0, 1, LAPEL_COLUMNS)
    for ring, edge, width in _jacket_rings():
        angle = edge + share * width / (0.8 * ring[0])
        lift = JACKET_LIFT + (LAPEL_LIFT - JACKET_LIFT) * np.array([0.1, 1.0, 1.0, 0.1])
        rows.append(_lifted(ring, angle, lift))
    points = np.concatenate(rows) * np.array([side, 1, 1])
    quads = grid_quads(len(rows), LAPEL_COLUMNS)
    return _draped(points, quads[:, ::-1] if side > 0 else quads, color * np.tile(LAPEL_TONES, len(rows))[:, None])
