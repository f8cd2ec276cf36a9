"""The mouth's opening, from captured pictures alone: an open mouth is a dark place where a shut one was skin."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hil.captured import MOUTH, Frame, Region

DARKER = 25  # grey levels: shading moves less, an open mouth far more


def opening(frames: Sequence[Frame], region: Region = MOUTH) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Times in ns, int64 (N,), and the share of the region that is darker than at rest, float64 (N,), 0..1.

    At rest: the region's brightest usual look, the 80th percentile of each pixel over all pictures, which must show
    the mouth shut for some of the time.
    """
    times = np.array([frame.time_ns for frame in frames], dtype=np.int64)
    grey = np.stack([region.of(frame.pixels).mean(axis=2) for frame in frames])
    rest = np.percentile(grey, 80, axis=0)
    return times, (rest[None] - grey > DARKER).mean(axis=(1, 2))
