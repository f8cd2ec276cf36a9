"""Fine relief on the sculpted head, from the lines of age to the tendons of the neck."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from generator.arrays import Floats
from generator.look import Proportions

Path = Sequence[tuple[float, float]]
# Seen from the front, x and y in cm, for x >= 0.
TENDON: Path = ((5.6, -8.6), (3.5, -12.6), (1.05, -17.0))
COLLARBONE: Path = ((0.9, -17.3), (3.2, -16.7), (5.4, -16.2))
UNDER_EYE: Path = ((-1.5, -1.35), (-0.4, -1.95), (1.0, -1.85), (1.9, -1.2))
MARIONETTE: Path = ((3.0, -7.2), (3.15, -8.4))


def relief(q: Floats, p: Proportions) -> Floats:
    """How far the surface at points q (..., 3), x >= 0, stands out, in cm; negative in furrows."""
    x, y, z = q[..., 0], q[..., 1], q[..., 2]
    raised = np.zeros_like(x)
    if p.folds:
        raised += p.folds * _age(x, y, p) * np.clip((z - 2.0) / 2.0, 0, 1)
    on_neck = np.clip((p.chin_y - 0.6 - y) / 2.2, 0, 1) * np.clip((z + 4.0) / 2.0, 0, 1)
    result: Floats = raised + on_neck * _neck(x, y, p)
    return result


def _age(x: Floats, y: Floats, p: Proportions) -> Floats:
    """Folds from nose to mouth with the cheek that hangs over them, bags, jowls, hollow temples."""
    corner = p.mouth_half_width + 0.75
    fold: Path = ((p.nose_width + 0.75, -p.nose_length + 0.2), (2.3, -5.1), (corner, -7.0))
    raised = -0.16 * np.exp(-((_away(x, y, fold) / 0.26) ** 2)) - 0.10 * np.exp(-((_away(x, y, MARIONETTE) / 0.3) ** 2))
    beside: Path = tuple((px + 0.65, py + 0.1) for px, py in fold)
    raised += 0.15 * np.exp(-((_away(x, y, beside) / 0.6) ** 2))
    bag: Path = tuple((p.eye_x + px, py) for px, py in UNDER_EYE)
    raised += 0.07 * np.exp(-((_away(x, y, bag) / 0.34) ** 2))
    raised += 0.34 * np.exp(-(((x - 3.7) / 0.9) ** 2) - ((y + 8.0) / 0.8) ** 2)
    result: Floats = raised - 0.28 * np.exp(-(((x - 6.0) / 1.3) ** 2) - ((y - 2.6) / 2.0) ** 2)
    return result


def _neck(x: Floats, y: Floats, p: Proportions) -> Floats:
    """Tendons that meet in the hollow above the breastbone, the collarbones, the larynx."""
    raised = 0.42 * p.tendons * np.exp(-((_away(x, y, TENDON) / 0.62) ** 2))
    raised -= 0.45 * p.tendons * np.exp(-((x / 0.9) ** 2) - ((y + 17.0) / 1.0) ** 2)
    raised += 0.30 * p.tendons * np.exp(-((_away(x, y, COLLARBONE) / 0.5) ** 2))
    result: Floats = raised + 0.55 * p.larynx * np.exp(-((x / 0.75) ** 2) - ((y + 13.1) / 1.1) ** 2)
    return result


def _away(x: Floats, y: Floats, path: Path) -> Floats:
    """The distance to a path of straight pieces."""
    nearest = np.full_like(x, np.inf)
    for (ax, ay), (bx, by) in pairwise(path):
        dx, dy = bx - ax, by - ay
        t = np.clip(((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy), 0, 1)
        nearest = np.minimum(nearest, np.hypot(x - ax - t * dx, y - ay - t * dy))
    return nearest
