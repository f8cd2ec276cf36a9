"""A short cut whose top is combed forward over the forehead."""

import numpy as np

from generator import strands
from generator.arrays import Floats
from generator.hair_swept import cap, greyed
from generator.look import Look
from generator.piece import Piece
from generator.sculpt import Sculpt

LIFT = np.array(
    [(0.03, 0.75, 1.1, 1.0, 0.7, 0.3), (0.03, 0.6, 1.0, 0.9, 0.6, 0.25), (0.02, 0.22, 0.34, 0.34, 0.3, 0.2)]
)
# Layers of locks from the crown to the forehead: count, how far to each side in cm, where they begin (0 at the crown, 1
# at the hairline), how high above the brow they end, lift and half width in cm, share of the width at the tip.
LAYERS = (
    (9, 5.7, 0.0, 2.1, 0.70, 1.05, 0.5),
    (8, 5.2, 0.2, 1.7, 0.95, 1.05, 0.2),
    (6, 4.4, 0.05, 2.6, 1.25, 1.15, 0.06),
)
STEPS = 7
SWEEP_CM = 1.9


def solid(look: Look, sculpt: Sculpt) -> list[Piece]:
    """The hair at the back and the sides, and the locks over the forehead."""
    sheet, _ = cap(look, sculpt, "fringe", LIFT, steps=12)
    rng = np.random.default_rng(look.seed + 1)
    return [sheet, *(lock for layer in LAYERS for lock in _layer(look, sculpt, rng, *layer))]


def _layer(
    look: Look, sculpt: Sculpt, rng: np.random.Generator, count: int, side: float, begin: float, end: float,
    lift: float, width: float, tip: float,
) -> list[Piece]:  # fmt: skip
    pieces = []
    for at in np.linspace(-1, 1, count):
        jitter = rng.uniform(-1, 1, 4)
        path = _path(sculpt, at * side, begin, end + 0.5 * jitter[0], lift * (1 + 0.12 * jitter[1]), jitter[2])
        out = path - strands.SKULL
        out /= np.linalg.norm(out, axis=1, keepdims=True)
        breadth = width * np.interp(np.linspace(0, 1, STEPS), [0, 0.2, 0.65, 1], [0.45, 0.95, 0.90, tip])
        colors = greyed(look, np.full(STEPS, 0.9 * abs(at)), np.full(STEPS, 0.92 + 0.10 * jitter[3]))
        pieces.append(strands.ribbon(path, out, breadth, colors, 0.15 + 0.7 * rng.random(), 0.5))
    return pieces


def _path(sculpt: Sculpt, x: float, begin: float, end: float, lift: float, sway: float) -> Floats:
    """From the crown over the hairline to `end` cm above the centre of the skull's front, (STEPS, 3)."""
    back = (1 - begin) ** 1.5
    drop = 0.055 * x * x
    directions = np.array(
        [
            (0.62 * x + 1.2, 9.4, 3.6 - 3.6 * back),
            (0.84 * x + 0.6, 8.6, 6.2 - 1.4 * back),
            (1.02 * x + 0.1 * sway, 5.8, 8.3 - drop),
            (1.06 * x - SWEEP_CM + 0.4 * sway, end + 0.10 * x, 8.5 - drop),
        ]
    )
    knots = strands.on_skull(sculpt, directions, np.array([0.35, 1.0, 0.95, 0.35]) * lift)
    path: Floats = strands.spline(knots[:, None], STEPS)[0]
    return path
