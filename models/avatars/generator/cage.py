"""The control cage of the skin: a grid around the head with loops inset around the eyes and the mouth.

Columns run from the midline (0) to behind the ear (+-8), rows from the neck (0) up to under the hairline (18). Blocks
of the grid are omitted for the mouth and the eyes. Rings close each hole inwards:

    mouth: 0 of the grid, 1 intermediate, 2 the lip's border, 3 its fullest line, 4 where the lips meet, 5 inside
    eye:   0 of the grid, 1 the crease, 2 the lid, 3 the lid's front edge, 4 its back edge, 5 behind

Ring points are counted from the avatar-left corner (mouth) or the outer corner (eye) upward, over the top, and back.
"""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from generator.arrays import Floats, Grid, Ints, Vector
from generator.look import Proportions
from generator.sculpt import Sculpt

COLUMNS = 8
ROWS = 18
MOUTH_ROWS, MOUTH_COLUMN = (7, 9), 3
EYE_ROWS, EYE_COLUMNS = (12, 14), (1, 5)
MOUTH_RINGS = EYE_RINGS = 6
MOUTH_COUNT, EYE_COUNT = 16, 12
STOMION_Y = -6.6

# x of columns 0..5 in the key rows. The rows between are interpolated.
COLUMN_X = {
    4: (0, 1.0, 2.0, 2.9, 3.7, 4.5),
    6: (0, 0.95, 1.9, 2.9, 3.9, 4.8),
    8: (0, 1.25, 2.4, 3.4, 4.5, 5.5),
    10: (0, 0.75, 1.75, 3.0, 4.3, 5.6),
    11: (0, 0.7, 1.6, 2.9, 4.3, 5.7),
    13: (0, 0.9, 2.2, 3.4, 4.6, 5.9),
    15: (0, 1.2, 2.4, 3.6, 4.8, 5.9),
    18: (0, 1.1, 2.2, 3.3, 4.4, 5.5),
}
ROW_Y_FRONT = (
    -18.6,
    -17.0,
    -15.0,
    -13.0,
    -11.6,
    -10.9,
    -9.75,
    -8.3,
    -6.6,
    -5.1,
    -4.25,
    -3.35,
    -2.0,
    0,
    1.7,
    2.7,
    4.6,
    6.6,
    8.7,
)
ROW_Y_SIDE = (
    -17.6,
    -15.6,
    -13.2,
    -10.9,
    -8.9,
    -7.2,
    -6.1,
    -5.2,
    -4.2,
    -3.3,
    -2.5,
    -1.7,
    -0.8,
    0.3,
    1.5,
    2.7,
    4.4,
    6.2,
    8.2,
)
COLUMN_ANGLE = (0.0, 0.0, 0.05, 0.15, 0.3, 0.62, 1.25, 1.72, 2.15)


@dataclass
class Eye:
    """An eyeball: center (3,), radius, side +1 for the left one."""

    center: Floats
    radius: float
    side: int


@dataclass
class Cage:
    """Control points (V, 3), quads (F, 4), and the indices of features."""

    points: Floats
    quads: Ints
    grid: dict[tuple[int, int], int]
    mouth: Ints
    eyes: dict[int, Ints]
    eyeballs: dict[int, Eye]
    detail: Floats
    head_weights: Floats
    rings: dict[str, Ints] = field(default_factory=dict)


def build_cage(p: Proportions) -> Cage:
    sculpt = Sculpt(p)
    grid, quads, mouth, eyes, count = _topology()
    points = np.zeros((count, 3))
    for (column, row), index in grid.items():
        points[index] = _grid_guess(column, row)
    eyeballs = {side: _eyeball(p, side) for side in (1, -1)}
    _place_holes(points, mouth, eyes, eyeballs)
    on_grid = np.array(sorted(grid.values()))
    outward = _outward(grid, count)
    points[on_grid] = sculpt.march(points[on_grid] + outward[on_grid] * 6, -outward[on_grid])
    _relax(points, quads, grid, mouth, eyes, sculpt)
    _place_mouth(points, mouth, sculpt, p)
    for side in (1, -1):
        _place_eye(points, eyes[side], eyeballs[side], p)
    detail = np.zeros(count)
    detail[on_grid] = 1.0
    detail[mouth[1]] = 0.7
    weights = np.ones(count)
    for (_, row), index in grid.items():
        weights[index] = (0.0, 0.06, 0.35, 0.75, 1.0)[min(row, 4)]
    return Cage(points, quads, grid, mouth, eyes, eyeballs, detail, weights)


def _topology() -> tuple[Grid, Ints, Ints, dict[int, Ints], int]:
    grid: dict[tuple[int, int], int] = {}
    quads: list[tuple[int, ...]] = []

    def at(column: int, row: int) -> int:
        return grid.setdefault((column, row), len(grid))

    for row in range(ROWS):
        for column in range(-COLUMNS, COLUMNS):
            if not _in_hole(column, row):
                quads.append((at(column, row), at(column + 1, row), at(column + 1, row + 1), at(column, row + 1)))
    count = len(grid)
    mouth, count = _rings(_mouth_loop(grid), MOUTH_RINGS, count)
    left, count = _rings(_eye_loop(grid, 1), EYE_RINGS, count)
    right, count = _rings(_eye_loop(grid, -1), EYE_RINGS, count)
    for rings, flip in ((mouth, False), (left, False), (right, True)):
        for outer, inner in pairwise(rings):
            for a, b, c, d in zip(outer, np.roll(outer, -1), np.roll(inner, -1), inner, strict=True):
                quads.append((b, a, d, c) if flip else (a, b, c, d))
    return grid, np.array(quads), mouth, {1: left, -1: right}, count


def _in_hole(column: int, row: int) -> bool:
    side = column if column >= 0 else -column - 1
    in_mouth = MOUTH_ROWS[0] <= row < MOUTH_ROWS[1] and side < MOUTH_COLUMN
    in_eye = EYE_ROWS[0] <= row < EYE_ROWS[1] and EYE_COLUMNS[0] <= side < EYE_COLUMNS[1]
    return in_mouth or in_eye


def _mouth_loop(grid: Grid) -> list[int]:
    low, high = MOUTH_ROWS
    m = MOUTH_COLUMN
    top = [grid[c, high] for c in range(m, -m - 1, -1)]
    bottom = [grid[c, low] for c in range(-m, m + 1)]
    return [grid[m, low + 1], *top, grid[-m, low + 1], *bottom]


def _eye_loop(grid: Grid, side: int) -> list[int]:
    (low, high), (inner, outer) = EYE_ROWS, EYE_COLUMNS
    top = [grid[side * c, high] for c in range(outer, inner - 1, -1)]
    bottom = [grid[side * c, low] for c in range(inner, outer + 1)]
    return [grid[side * outer, low + 1], *top, grid[side * inner, low + 1], *bottom]


def _rings(loop: list[int], rings: int, count: int) -> tuple[Ints, int]:
    size = len(loop)
    inner = np.arange(count, count + size * (rings - 1)).reshape(rings - 1, size)
    return np.concatenate([np.array(loop)[None], inner]), count + inner.size


def _grid_guess(column: int, row: int) -> Floats:
    side, sign = abs(column), np.sign(column)
    rows = sorted(COLUMN_X)
    front_x = float(np.interp(row, rows, [COLUMN_X[r][min(side, 5)] for r in rows]))
    blend = np.clip((side - 2) / 5, 0, 1)
    y = ROW_Y_FRONT[row] + (ROW_Y_SIDE[row] - ROW_Y_FRONT[row]) * blend * blend * (3 - 2 * blend)
    if row <= 3:
        angle = side / COLUMNS * 2.3
        return np.array([sign * 5 * np.sin(angle), y, -3 + 5 * np.cos(angle)])
    if side <= 5:
        z = 8.5 if row > 5 else {4: 4.2, 5: 7.2}[row]
        return np.array([sign * front_x, y, z - 0.12 * front_x**2])
    angle = COLUMN_ANGLE[side]
    return np.array([sign * 6.5 * np.sin(angle), y, -0.5 + 6.5 * np.cos(angle)])


def _outward(grid: Grid, count: int) -> Floats:
    directions = np.zeros((count, 3))
    for (column, row), index in grid.items():
        side, sign = abs(column), np.sign(column)
        angle = COLUMN_ANGLE[side] if row > 3 else side / COLUMNS * 2.3
        down = {4: 2.2, 5: 0.9}.get(row, 0.0) * (1 - np.clip((side - 4) / 3, 0, 0.8))
        up = np.clip((row - 15) * 0.12, 0, 0.5)
        d = np.array([sign * np.sin(angle), up - down, np.cos(angle)])
        directions[index] = d / np.linalg.norm(d)
    return directions


def _eyeball(p: Proportions, side: int) -> Eye:
    return Eye(np.array([side * p.eye_x, 0.0, 4.85]), 2.0 * p.eye_scale, side)


def _place_holes(points: Floats, mouth: Ints, eyes: dict[int, Ints], eyeballs: dict[int, Eye]) -> None:
    angle = np.linspace(0, 2 * np.pi, EYE_COUNT, endpoint=False)
    for side, eye in eyes.items():
        center, radius = eyeballs[side].center, eyeballs[side].radius
        points[eye[0], 0] = center[0] + side * (np.cos(angle) * 1.2 * radius + 0.08)
        points[eye[0], 1] = center[1] + np.sin(angle) * 0.86 * radius + 0.05
    x = np.array([3.7, 3.2, 2.3, 1.2, 0])
    y = np.array([0, 0.95, 1.35, 1.5, 1.5])
    half = np.concatenate([x, -x[-2::-1]])
    points[mouth[0], 0] = np.concatenate([half, half[-2:0:-1]])
    up = np.concatenate([y, y[-2::-1]])
    points[mouth[0], 1] = STOMION_Y + np.concatenate([up, -up[-2:0:-1] * 1.18])


def _relax(points: Floats, quads: Ints, grid: Grid, mouth: Ints, eyes: dict[int, Ints], sculpt: Sculpt) -> None:
    """Even out the spacing of the grid on the surface, except where loops or nose lines fix it."""
    fixed = set(mouth[0]) | set(eyes[1][0]) | set(eyes[-1][0])
    free = [
        index
        for (column, row), index in grid.items()
        if index not in fixed and 3 < row < ROWS and abs(column) < COLUMNS and not (abs(column) <= 2 and 6 <= row <= 15)
    ]
    for _ in range(6):
        total, weight = np.zeros_like(points), np.zeros(len(points))
        for a in range(4):
            for b in (quads[:, (a + 1) % 4], quads[:, a - 1]):
                np.add.at(total, quads[:, a], points[b])
                np.add.at(weight, quads[:, a], 1)
        mean = total[free] / weight[free, None]
        middle = [i for i in free if abs(points[i, 0]) < 1e-6]
        points[free] = sculpt.project(0.5 * points[free] + 0.5 * mean)
        points[middle, 0] = 0.0


def _around(corner: float, half: Vector) -> Floats:
    """Mirror the values at columns 3, 2, 1, 0 of a lip to its 9 points from corner to corner."""
    return np.array([corner, *half, *half[-2::-1], corner])


# For each ring: x of the corner; x and y of the upper lip from beside the corner to the middle; the same for the lower
# lip; how far each lip protrudes from the sculpt. y is relative to STOMION_Y.
LIP_X = (2.05, 1.3, 0.56, 0.0)
LIP_RINGS = {
    2: (
        2.62, LIP_X, (0.42, 0.67, 0.76, 0.65),
        (2.08, 1.36, 0.64, 0.0), (-0.38, -0.73, -0.92, -0.95), 0.09, 0.08,
    ),
    3: (
        2.54, (1.98, 1.24, 0.56, 0.0), (0.24, 0.36, 0.40, 0.36),
        (1.98, 1.27, 0.6, 0.0), (-0.25, -0.44, -0.54, -0.52), 0.31, 0.35,
    ),
    4: (
        2.46, (1.92, 1.22, 0.56, 0.0), (0.05, 0.00, -0.04, -0.07),
        (1.92, 1.22, 0.56, 0.0), (0.07, 0.03, -0.01, -0.04), 0.0, 0.0,
    ),
    5: (
        2.36, (1.85, 1.2, 0.56, 0.0), (0.20, 0.20, 0.2, 0.2),
        (1.85, 1.2, 0.56, 0.0), (0.02, -0.12, -0.2, -0.22), -0.55, -0.55,
    ),
}  # fmt: skip


def _place_mouth(points: Floats, mouth: Ints, sculpt: Sculpt, p: Proportions) -> None:
    """Place each ring by its upper and lower curve (x, y) and by its protrusion from the sculpt."""
    w, f = p.mouth_half_width / 2.55, p.lip_fullness
    for ring, (corner, upper_x, upper_y, lower_x, lower_y, upper_out, lower_out) in LIP_RINGS.items():
        index = mouth[ring]
        size = f if ring in (2, 3) else 1.0
        top_x, low_x = _signed(corner, upper_x), _signed(corner, lower_x)
        top_y, low_y = (
            _around(p.corner_lift, tuple(np.array(upper_y) * size)),
            _around(p.corner_lift, tuple(np.array(lower_y) * size)),
        )
        x = np.concatenate([top_x, low_x[-2:0:-1]]) * w
        y = STOMION_Y + np.concatenate([top_y, low_y[-2:0:-1]])
        out = np.concatenate(
            [_around(0.0, (0.55, 0.85, 1, 1)) * upper_out, _around(0.0, (0.55, 0.85, 1, 1))[-2:0:-1] * lower_out]
        )
        out[[0, 8]] = (-0.02, 0.0, -0.12, -0.5)[ring - 2]
        base = np.stack([x, np.full_like(x, STOMION_Y) + (y - STOMION_Y) * 0.6, np.full_like(x, 14.0)], axis=1)
        hit = sculpt.march(base, np.broadcast_to(np.array([0.0, 0, -1]), base.shape))
        points[index] = np.stack([x, y, hit[:, 2] + out * f], axis=1)
    points[mouth[1]] = sculpt.project(0.55 * points[mouth[2]] + 0.45 * points[mouth[0]])


def _signed(corner: float, half: Vector) -> Floats:
    right = np.array([corner, *half])
    return np.concatenate([right, -right[-2::-1]])


LID_X = np.array([1.66, 1.37, 0.79, 0.03, -0.80, -1.37, -1.66])
LID_UPPER_Y = np.array([0.02, 0.41, 0.65, 0.73, 0.63, 0.31, -0.12])
LID_LOWER_Y = np.array([0.02, -0.34, -0.66, -0.80, -0.74, -0.48, -0.12])


def lid_curve(p: Proportions) -> Floats:
    """The front edge of the open lids seen from the front, (EYE_COUNT, 2), relative to the centre of the left eye."""
    x = np.concatenate([LID_X, LID_X[-2:0:-1]])
    y = np.concatenate([LID_UPPER_Y, LID_LOWER_Y[-2:0:-1]])
    result: Floats = np.stack([x, y * p.eye_height + p.eye_tilt * x / 1.7], axis=1) * p.eye_scale
    return result


def on_ball(xy: Floats, radius: float | Floats) -> Floats:
    """The points on the front of a ball of `radius` at (x, y), on its rim where (x, y) is outside."""
    z = np.sqrt(np.maximum(radius**2 - (xy**2).sum(axis=1), 0.12))
    return np.column_stack([xy, z])


def _place_eye(points: Floats, eye: Ints, ball: Eye, p: Proportions) -> None:
    rings = eye_rings(lid_curve(p), points[eye[0]], ball, p)
    points[eye[1:]] = rings


def eye_rings(curve: Floats, orbit: Floats, ball: Eye, p: Proportions, closing: float | Floats = 0.0) -> Floats:
    """Rings 1..5 of an eye, (5, EYE_COUNT, 3). curve: the lid edge of the left eye, relative to the eye's centre.

    closing: 0..1 for each point, how far the lid is closed. A closed lid is pushed outwards, so that the straight path
    of a morph target does not cut into the ball (the chord of 46 degrees falls 8 % short).
    """
    open_curve, r = lid_curve(p), ball.radius
    mirror = np.array([ball.side, 1, 1])
    away = open_curve * np.array([0.75, 1.3])
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    # A chord falls short by the radius times the square of the angle.
    bulge = 0.14 * max(1.0, p.eye_height) ** 2 * max(1.0, p.eye_scale / 1.15) * np.asarray(closing)
    upper = np.sin(np.linspace(0, 2 * np.pi, EYE_COUNT, endpoint=False))
    orbit_local = (orbit - ball.center) * mirror
    mix = np.where(upper > 0.3, 0.36, 0.5)[:, None]
    open_lid = open_curve + away * (0.17 + 0.06 * np.clip(upper, 0, 1))[:, None]
    open_crease = on_ball(open_lid, r + 0.26) * (1 - mix) + orbit_local * mix
    open_crease[:, 2] += (0.3 * p.lid_hood - 0.2) * np.clip(upper, 0, 1)
    open_crease[:, 1] -= 0.28 * p.lid_hood * np.clip(upper, 0, 1)
    close = np.asarray(closing)[:, None] if np.ndim(closing) else closing
    follow = curve - open_curve
    crease = open_crease + np.column_stack([follow * 0.12, np.zeros(len(curve))])
    covered = on_ball(0.5 * (open_crease[:, :2] + curve), r + 0.38)
    lid = (1 - close) * on_ball(open_lid + follow, r + 0.29 + bulge) + close * covered
    front = on_ball(curve + away * 0.035, r + 0.25 + bulge)
    back = on_ball(curve - away * 0.03, r + 0.045 + bulge)
    behind = on_ball(curve + away * 0.22, r + 0.02)
    behind[:, 2] -= 0.3
    result: Floats = ball.center + np.stack([crease, lid, front, back, behind]) * mirror
    return result
