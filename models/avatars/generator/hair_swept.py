"""Swept-back hairstyles: a short cut with a quiff, a round cloud of curls."""

import numpy as np

from generator import strands
from generator.arrays import Floats
from generator.look import Look
from generator.piece import Piece
from generator.sculpt import Sculpt

# The hairline as directions from SKULL, for x >= 0: middle of the forehead, recess above the temple, point of the
# temple, down in front of the ear.
HAIRLINE = np.array(
    [
        (0, 4.75, 8.3),
        (2.2, 4.75, 8.0),
        (4.1, 4.7, 6.6),
        (5.5, 2.9, 5.4),
        (6.3, 0.4, 4.3),
        (6.6, -2.0, 3.1),
        (6.7, -4.6, 2.4),
    ],
    dtype=float,
)
# Guide strands as directions from SKULL, root to tip: over the middle, at the temple, at the sideburn and over the ear.
# The hairline replaces their roots.
BACK_GUIDES = np.array(
    [
        ((0, 4.9, 8.3), (0, 8.2, 6.4), (0, 9.8, 0), (0, 6.0, -7.6), (0, -1.0, -9.4), (0, -6.5, -8.4)),
        ((5.2, 2.7, 5.6), (5.6, 5.6, 3.8), (5.4, 7.0, -1.6), (3.8, 4.6, -7.2), (2.2, -1.5, -9.2), (1.2, -6.5, -8.3)),
        ((6.7, -4.6, 2.7), (7.2, -0.7, 1.4), (7.0, 0.0, -2.2), (6.0, -2.5, -5.6), (4.6, -4.5, -7.2), (3.4, -7.2, -7.4)),
    ],
    dtype=float,
)
SHORT_LIFT = np.array(
    [(0.03, 1.0, 1.15, 0.8, 0.6, 0.3), (0.03, 0.62, 0.8, 0.65, 0.45, 0.25), (0.02, 0.16, 0.2, 0.2, 0.2, 0.15)]
)
CURLS_LIFT = np.array(
    [(0.05, 1.6, 2.5, 2.8, 2.6, 1.2), (0.05, 1.8, 3.1, 3.4, 2.9, 1.3), (0.05, 1.4, 2.5, 2.8, 2.3, 1.1)]
)
# How far behind the painted hairline the sheet leaves the scalp, as a share of the way to its first guide.
BEHIND = 0.16


# How much higher each style's hairline is over the forehead, in cm. The bob's fringe hides it; the quiff hangs over it.
HIGHER = {"bob": 2.4, "short": -0.45, "curls": -0.1, "bun": -0.2, "fringe": -0.6, "fur": -0.1}


def _directions(style: str, count: int) -> Floats:
    line = HAIRLINE.copy()
    line[:, 1] += HIGHER[style] * np.clip((line[:, 1] - 1.0) / 3.0, 0, 1)
    result: Floats = strands.spline(line[:, None], count)[0]
    return result


def root_line(style: str, sculpt: Sculpt, count: int = 60) -> Floats:
    """The hairline on the scalp, (count, 3), from the middle of the forehead to the left sideburn."""
    return strands.on_skull(sculpt, _directions(style, count), 0.0)


def _swept_back(style: str, sculpt: Sculpt, lift: Floats, count: int, steps: int) -> tuple[Floats, Floats]:
    """Strands (S, T, 3) from sideburn to sideburn, with their positions -1..1."""
    s = np.linspace(-1, 1, count)
    t = np.abs(s)
    a, b, c = 2 * (t - 0.5) * (t - 1), 4 * t * (1 - t), 2 * t * (t - 0.5)
    share = np.stack([a, b, c])
    directions = np.einsum("gs,gkx->ksx", share, BACK_GUIDES)
    line = _directions(style, 101)
    root = np.stack([np.interp(t, np.linspace(0, 1, 101), line[:, axis]) for axis in range(3)], axis=1)
    directions[0] = root + BEHIND * (directions[1] - root)
    directions[..., 0] *= np.sign(s)
    lifts = np.einsum("gs,gk->ks", share, lift)
    knots = np.stack(
        [strands.on_skull(sculpt, d, np.maximum(up, 0.03)) for d, up in zip(directions, lifts, strict=True)]
    )
    return strands.spline(knots, steps), s


# The tufts of the quiff, row by row: distance from the hairline, count, range across the head (0..1), sideways and
# backward sweep, half width and rise in cm.
TUFT_ROWS = (
    (0.02, 7, (0.335, 0.725), 0.085, 0.34, 0.95, 1.05),
    (0.12, 7, (0.32, 0.72), 0.085, 0.36, 1.0, 0.75),
    (0.24, 6, (0.30, 0.74), 0.07, 0.34, 1.0, 0.45),
)


def short(look: Look, sculpt: Sculpt) -> list[Piece]:
    """A cut that is close at the sides and longer on top, with tufts swept up and to one side."""
    sheet, points = cap(look, sculpt, "short", SHORT_LIFT)
    return [sheet, *_tufts(look, points, np.random.default_rng(look.seed + 1))]


def cap(
    look: Look, sculpt: Sculpt, style: str, lift: Floats, *, locks: float = 9.0, steps: int = 14
) -> tuple[Piece, Floats]:
    """The sheet of hair swept back from the hairline, and its strands (S, T, 3). lift: in cm, as SHORT_LIFT."""
    rng = np.random.default_rng(look.seed)
    count = 41
    points, s = _swept_back(style, sculpt, lift, count, steps)
    along = np.broadcast_to(np.linspace(0, 1, steps), (count, steps))
    body = np.clip(along * 5, 0, 1)
    ridge = strands.locks(np.broadcast_to(0.5 + 0.5 * s[:, None], (count, steps)) + 0.06 * along, along, locks, rng)
    thick = 0.06 + 0.20 * np.clip(1.15 - np.abs(s), 0, 1)[:, None]
    points = strands.clear(sculpt, points, 0.05 + 0.15 * body)
    points = points + strands.sheet_normals(points) * (thick * (ridge - 0.5) * body)[..., None]
    tuck = points[0] + (strands.SKULL - points[0]) * 0.11
    colors = greyed(look, np.abs(s)[:, None] + 0.0 * along, 0.78 + 0.27 * ridge)
    return strands.sheet(points, colors, tuck, flip=False), points


def greyed(look: Look, beside: Floats, tone: Floats) -> Floats:
    """The hair's colour, greying towards the temples. beside: 0 on top, 1 at the sideburn."""
    grey = (look.grey_temples * np.clip((beside - 0.5) / 0.3, 0, 1))[..., None]
    result: Floats = strands.toned(look, tone) * (1 - grey) + np.array(look.grey, float) * tone[..., None] * grey * 1.25
    return result


def _tufts(look: Look, points: Floats, rng: np.random.Generator) -> list[Piece]:
    normals, k = strands.sheet_normals(points), np.linspace(0, 1, 8)
    pieces = []
    for begin, count, (low, high), sweep, back, width, rise in TUFT_ROWS:
        for at in np.linspace(low, high, count):
            jitter = rng.uniform(-1, 1, 5)
            s = at + 0.018 * jitter[0] - sweep * (1 + 0.4 * jitter[1]) * k**1.2
            t = begin + 0.012 * jitter[2] + back * (1 + 0.2 * jitter[3]) * k
            out = strands.sample(normals, s, t)
            out /= np.linalg.norm(out, axis=1, keepdims=True)
            lift = -0.10 + rise * (1 + 0.25 * jitter[4]) * np.sin(np.pi * np.minimum(k * 0.62 + 0.02, 1)) ** 0.8
            path = strands.sample(points, s, t) + out * lift[:, None]
            breadth = width * np.interp(k, [0, 0.25, 0.6, 1], [0.55, 0.95, 0.85, 0.04])
            colors = greyed(look, np.abs(2 * s - 1) * 0.9, np.full(len(k), 0.95 + 0.10 * jitter[0]))
            pieces.append(strands.ribbon(path, out, breadth, colors, 0.15 + 0.7 * rng.random(), 0.55))
    return pieces


CURL_STRANDS, CURL_STEPS = 51, 26


def curls(look: Look, sculpt: Sculpt) -> list[Piece]:
    """A round cloud of coils, with bulges where they bunch."""
    points, bump = _cloud(look, sculpt)
    tuck = points[0] + (strands.SKULL - points[0]) * 0.08
    return [strands.sheet(points, strands.toned(look, 0.66 + 0.40 * bump), tuck, flip=False)]


def _cloud(look: Look, sculpt: Sculpt) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(look.seed)
    points, _ = _swept_back("curls", sculpt, CURLS_LIFT, CURL_STRANDS, CURL_STEPS)
    points = strands.clear(sculpt, points, np.full((CURL_STRANDS, CURL_STEPS), 0.06))
    centers = points.reshape(-1, 3)[rng.choice(CURL_STRANDS * CURL_STEPS, 300, replace=False)]
    distance = np.linalg.norm(points[:, :, None] - centers, axis=-1).min(axis=-1)
    bump = np.clip(1 - (distance / 1.5) ** 2, 0, 1)
    body = np.clip(np.linspace(0, 1, CURL_STEPS) * 7, 0.05, 1)
    return points + strands.sheet_normals(points) * (0.55 * (bump - 0.35) * body)[..., None], bump
