"""One picture for all that lets light through: hair above, lids and lashes below, so that both are one draw call."""

from dataclasses import replace

import numpy as np

from generator.arrays import Pixels
from generator.piece import Piece


def stacked(hair: Pixels, lids: Pixels) -> Pixels:
    """uint8 (2 H, W, 4) out of (H, W, 4) and (h, w, 4), w <= W, h <= H; powers of two stay powers of two.

    Hair keeps the whole breadth, because locks repeat sideways.
    """
    height, width = hair.shape[:2]
    picture = np.zeros((2 * height, width, 4), dtype=np.uint8)
    picture[:height] = hair
    picture[height : height + lids.shape[0], : lids.shape[1]] = lids
    return picture


def hair_placed(pieces: list[Piece]) -> list[Piece]:
    """The same pieces with their texture coordinates in the upper half."""
    return [replace(piece, uvs=np.asarray(piece.uvs) * (1.0, 0.5)) for piece in pieces]


def lids_placed(pieces: list[Piece], hair: Pixels, lids: Pixels) -> list[Piece]:
    """The same pieces with their texture coordinates where `stacked` put the lids' picture."""
    height, width = hair.shape[:2]
    scale = np.array([lids.shape[1] / width, lids.shape[0] / (2 * height)])
    return [replace(piece, uvs=np.asarray(piece.uvs) * scale + (0.0, 0.5)) for piece in pieces]
