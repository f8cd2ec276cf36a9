"""Hoop earrings."""

import numpy as np

from generator.look import Look
from generator.piece import Piece
from generator.tubes import tube

CENTER, RADIUS, WIRE = np.array([7.07, -4.25, -0.75]), 0.80, 0.11
AROUND = 16


def earring(side: int, look: Look) -> Piece:
    """A ring that faces the viewer."""
    a, turn = np.linspace(0, 2 * np.pi, AROUND, endpoint=False), np.radians(28)
    x = 0.86 * RADIUS * np.sin(a)
    path = np.stack([x * np.cos(turn), RADIUS * np.cos(a), -x * np.sin(turn)], axis=1) + CENTER
    return tube(path * np.array([side, 1, 1]), WIRE, look.earrings or look.skin, closed=True)
