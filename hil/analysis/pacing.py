"""Frame pacing, from captured frames."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hil.captured import Frame

CHANGED = 1.5  # mean grey levels of a changed frame: dither and compression stay below


@dataclass(frozen=True, slots=True)
class Pacing:
    """rate_hz: new frames per second. dropped: frames missing relative to the median interval."""

    rate_hz: float
    median_ms: float
    p95_ms: float
    longest_ms: float
    dropped: int
    frames: int


def pacing(change_times_ns: Sequence[int]) -> Pacing | None:
    """From ascending times at which the frame changed; None with fewer than three."""
    if len(change_times_ns) < 3:
        return None
    gaps = np.diff(np.array(change_times_ns, dtype=np.int64)) / 1e6
    median = float(np.median(gaps))
    return Pacing(
        rate_hz=1000 * len(gaps) / float(gaps.sum()),
        median_ms=median,
        p95_ms=float(np.percentile(gaps, 95)),
        longest_ms=float(gaps.max()),
        dropped=int(np.maximum(np.rint(gaps / median) - 1, 0).sum()),
        frames=len(change_times_ns),
    )


def change_times_ns(frames: Sequence[Frame], least: float = 0.0) -> list[int]:
    """Times at which a frame differed from the previous one by more than `least` grey levels on average."""
    grey = [frame.pixels.astype(np.int16) for frame in frames]
    return [
        later.time_ns
        for later, now, before in zip(frames[1:], grey[1:], grey, strict=False)
        if float(np.abs(now - before).mean()) > least
    ]
