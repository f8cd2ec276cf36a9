"""The rig: from articulators to the 52 ARKit shapes. The same arithmetic is part of the TFLite graph (convert.py).

Closed lips stay closed whatever the jaw does: mouthClose cancels exactly what jawOpen opens, as ARKit defines it
("closure of the lips independent of jaw position"), and shapes that part the lips are scaled by how open these are.
"""

import numpy as np
from numpy.typing import NDArray

from mien.core.pose import ARKIT_SHAPES

from .phones import ARTICULATORS

OPENERS = ("funnel", "upper", "lower")

# shape -> the articulators that move it, with their gains
RIG = {
    "jawOpen": {"jaw": 1.0},
    "jawForward": {"funnel": 0.12},
    "mouthClose": {"jaw*close": 1.0},
    "mouthFunnel": {"funnel": 1.0},
    "mouthPucker": {"pucker": 0.9},
    "mouthStretch": {"spread": 0.4},
    "mouthSmile": {"spread": 0.25},
    "mouthDimple": {"spread": 0.2},
    "mouthUpperUp": {"upper": 0.5},
    "mouthLowerDown": {"lower": 0.6},
    "mouthRollLower": {"bite": 0.75, "press": 0.22},
    "mouthRollUpper": {"press": 0.22},
    "mouthPress": {"press": 0.35},
    "mouthShrugLower": {"bite": 0.25, "press": 0.1},
    "mouthShrugUpper": {"press": 0.1},
    "cheekPuff": {"press": 0.06},
    "tongueOut": {"tongue": 0.5},
}

TERMS = (*(name for name in ARTICULATORS), "jaw*close")


def rig_matrix() -> NDArray[np.float32]:
    """float32 (len(TERMS), 52): the contribution of each term to each shape, equal for left and right."""
    matrix = np.zeros((len(TERMS), len(ARKIT_SHAPES)), dtype=np.float32)
    for column, shape in enumerate(ARKIT_SHAPES):
        for term, amount in RIG.get(shape, RIG.get(shape.removesuffix("Left").removesuffix("Right"), {})).items():
            matrix[TERMS.index(term), column] = amount
    return matrix


def shapes(articulators: NDArray[np.float32]) -> NDArray[np.float32]:
    """Articulator curves (n, len(ARTICULATORS)) -> blend shapes, float32 (n, 52) in 0..1."""
    jaw, close = (articulators[:, ARTICULATORS.index(name)] for name in ("jaw", "close"))
    gated = articulators.copy()
    for name in OPENERS:
        gated[:, ARTICULATORS.index(name)] *= 1 - close
    return np.clip(np.column_stack([gated, jaw * close]) @ rig_matrix(), 0, 1)
