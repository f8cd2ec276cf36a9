"""One texture for all translucent pieces, hair above and lids below, so that they share a draw call."""

from dataclasses import replace

import numpy as np

from generator.arrays import Pixels
from generator.piece import Piece


def stacked(hair: Pixels, lids: Pixels) -> Pixels:
    """Stack (H, W, 4) and (h, w, 4), w <= W, h <= H, to uint8 (2 H, W, 4), which keeps powers of two.

    Hair keeps the whole width, because locks repeat sideways.
    """
    height, width = hair.shape[:2]
    texture = np.zeros((2 * height, width, 4), dtype=np.uint8)
    texture[:height] = hair
    texture[height : height + lids.shape[0], : lids.shape[1]] = lids
    return texture


def hair_placed(pieces: list[Piece]) -> list[Piece]:
    """The pieces with their UVs moved to the upper half."""
    return [replace(piece, uvs=np.asarray(piece.uvs) * (1.0, 0.5)) for piece in pieces]


def lids_placed(pieces: list[Piece], hair: Pixels, lids: Pixels) -> list[Piece]:
    """The pieces with their UVs moved to where `stacked` puts the lids."""
    height, width = hair.shape[:2]
    scale = np.array([lids.shape[1] / width, lids.shape[0] / (2 * height)])
    return [replace(piece, uvs=np.asarray(piece.uvs) * scale + (0.0, 0.5)) for piece in pieces]
