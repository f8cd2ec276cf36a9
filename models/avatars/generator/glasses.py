"""Glasses without lenses, which would cost a draw call."""

import numpy as np

from generator.arrays import Floats
from generator.look import Look
from generator.piece import Piece
from generator.tubes import tube

WIRE = 0.15
HALF_WIDTH, HALF_HEIGHT, SQUARENESS = 2.45, 1.86, 2.6
FRONT_Z, WRAP = 8.75, 0.055
DROP_CM = 0.22
AROUND, SIDES = 26, 5


def glasses(look: Look) -> list[Piece]:
    """All pieces; they turn with the head."""
    color, eye_x = look.glasses or look.hair, look.proportions.eye_x
    pieces = []
    for side in (1, -1):
        mirror = np.array([side, 1, 1])
        pieces.append(tube(_rim(eye_x) * mirror, WIRE, color, closed=True, sides=SIDES))
        pieces.append(tube(_arm(eye_x) * mirror, WIRE, color, closed=False, sides=SIDES))
    return [*pieces, tube(_bridge(eye_x), WIRE, color, closed=False, sides=SIDES)]


def _depth(x: Floats) -> Floats:
    """z of the rims, which bend around the face."""
    result: Floats = FRONT_Z - WRAP * x**2 * 0.55
    return result


def _rim(eye_x: float) -> Floats:
    angle = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)
    c, s = np.cos(angle), np.sin(angle)
    x = eye_x + 0.1 + HALF_WIDTH * np.sign(c) * np.abs(c) ** (2 / SQUARENESS)
    y = HALF_HEIGHT * np.sign(s) * np.abs(s) ** (2 / SQUARENESS) - DROP_CM
    # Wider above than below.
    x = x + 0.12 * (y + DROP_CM) / HALF_HEIGHT * c
    return np.stack([x, y, _depth(x)], axis=1)


def _arm(eye_x: float) -> Floats:
    x0 = eye_x + 0.15 + HALF_WIDTH
    start = np.array([x0, 0.45, _depth(np.array(x0))])
    return np.stack(
        [start, np.array([x0 + 0.75, 0.5, start[2] - 1.6]), np.array([7.45, 0.7, 1.5]), np.array([7.3, 0.6, -1.6])]
    )


def _bridge(eye_x: float) -> Floats:
    edge = eye_x + 0.1 - HALF_WIDTH + 0.05
    x = np.linspace(-edge, edge, 7)
    return np.stack([x, 0.35 + 0.3 * (1 - (x / edge) ** 2) - DROP_CM, _depth(x) + 0.35 * (1 - (x / edge) ** 2)], axis=1)
