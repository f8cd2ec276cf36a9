"""Comparison of frames with golden images, with tolerances.

Means of blocks are compared: a face that breathes, blinks and glances moves by a few pixels, and capture cards blur.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BLOCKS = (24, 16)  # rows, columns
BLOCK_TOLERANCE = 24.0  # grey levels of a block's mean: a highlight of 5 % of the range that moves by half a block
MEAN_TOLERANCE = 8.0
MOST_BEYOND = 0.08  # an idle face that glances aside reaches 0.06; thinking differs from idle by 0.10


@dataclass(frozen=True, slots=True)
class Likeness:
    """mean: mean difference in grey levels. beyond: share of the blocks that differ by more than BLOCK_TOLERANCE."""

    mean: float
    beyond: float

    @property
    def matches(self) -> bool:
        """Whether the two look alike."""
        return self.mean <= MEAN_TOLERANCE and self.beyond <= MOST_BEYOND


def blocks(pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Block means of a frame of at least 16 x 24 pixels, float64 (24, 16, 3): what a golden image stores."""
    height, width = pixels.shape[:2]
    rows, columns = (
        np.linspace(0, size, count + 1).astype(int)[:-1] for size, count in zip((height, width), BLOCKS, strict=True)
    )
    sums = np.add.reduceat(np.add.reduceat(pixels.astype(np.float64), rows, axis=0), columns, axis=1)
    heights, widths = (np.diff(np.append(starts, size)) for starts, size in ((rows, height), (columns, width)))
    return np.asarray(sums / (heights[:, None, None] * widths[None, :, None]))


def likeness(pixels: NDArray[np.uint8], golden: NDArray[np.float64]) -> Likeness:
    """Compare with a golden image's blocks, float64 (24, 16, 3)."""
    difference = np.abs(blocks(pixels) - golden).mean(axis=2)
    return Likeness(float(difference.mean()), float((difference > BLOCK_TOLERANCE).mean()))
