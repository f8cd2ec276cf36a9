"""Mouth opening from captured frames: between open lips it is very dark, or white as teeth."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hil.captured import Frame, Region, mouth_on

# Measured on the shipped avatars: lips and skin are never this dark, nor this bright and close to grey.
DARK: Final = 85
TOOTH: Final = 140
TOOTH_COLOUR: Final = 55


def opening(frames: Sequence[Frame], region: Region | None = None) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Times in ns, int64 (N,), and the fraction of the region that is the inside of a mouth, float64 (N,), 0..1.

    region: of the mouth; None derives it from the screen's aspect ratio.
    """
    if region is None:
        region = mouth_on(*frames[0].pixels.shape[:2])
    times = np.array([frame.time_ns for frame in frames], dtype=np.int64)
    return times, np.array([_inside(region.of(frame.pixels)) for frame in frames], dtype=np.float64)


def _inside(pixels: NDArray[np.uint8]) -> float:
    most, least = pixels.max(axis=2).astype(np.int16), pixels.min(axis=2).astype(np.int16)
    return float(((most < DARK) | ((least > TOOTH) & (most - least < TOOTH_COLOUR))).mean())
