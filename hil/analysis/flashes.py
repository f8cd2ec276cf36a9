"""Flash detection: when a bar on the screen was lit, from captured frames."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.captured import BAR, Frame, Region

MIDDLE = 128  # of the range from black to white


@dataclass(frozen=True, slots=True)
class Edge:
    """The bar was dark at before_ns and lit at after_ns."""

    before_ns: int
    after_ns: int

    @property
    def time_ns(self) -> int:
        """The midpoint: unbiased when frames are captured independently of the flashes."""
        return (self.before_ns + self.after_ns) // 2


def levels(frames: Sequence[Frame], region: Region = BAR) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Times in ns, int64 (N,), and mean brightness of the region, float64 (N,), 0..255."""
    times = np.array([frame.time_ns for frame in frames], dtype=np.int64)
    return times, np.array([region.of(frame.pixels).mean() for frame in frames], dtype=np.float64)


def rising_edges(times_ns: NDArray[np.int64], level: NDArray[np.float64]) -> list[Edge]:
    """Rising edges of a brightness, 0..255 (N,), through the midpoint."""
    lit = level > MIDDLE
    found = np.flatnonzero(~lit[:-1] & lit[1:])
    return [Edge(int(times_ns[at]), int(times_ns[at + 1])) for at in found]
