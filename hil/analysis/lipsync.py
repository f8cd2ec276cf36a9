"""Lip-sync measured externally: when flashes were seen against when their clicks were heard."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from hil.analysis.flashes import Edge
from hil.captured import NS_PER_MS

NEAREST_MS: Final = 250.0  # half of the pattern's shortest gap: anything farther apart is no pair
MOST_MS: Final = 800.0  # search range: the pattern repeats only after a period
LEAST_MATCH: Final = 0.35  # of the flashes: unrelated patterns reach 0.25
SHARP_MS: Final = 60.0  # tolerance of a pair that supports a shift
Z95: Final = 1.96


@dataclass(frozen=True, slots=True)
class LipSync:
    """Times in ms; positive: seen later than heard.

    offset_ms: the mean. half_width_ms: of its 95 % confidence interval, including the frame spacing. jitter_ms: the
    standard deviation beyond the frame spacing. drift_ms_a_minute: the slope. unpaired: flashes without a click and
    clicks without a flash.
    """

    offset_ms: float
    half_width_ms: float
    jitter_ms: float
    drift_ms_a_minute: float
    pairs: int
    unpaired: int
    seen_ms: tuple[float, ...]
    offsets_ms: tuple[float, ...]


def measure(edges: Sequence[Edge], clicks_ns: Sequence[int]) -> LipSync | None:
    """Pair flashes with clicks and measure; None with fewer than two pairs, or if the patterns do not match.

    Pairs are found by matching the whole pattern, in which no two gaps are alike: an offset of more than half a gap is
    not mistaken for a small offset to the neighbour.
    """
    seen = np.array([edge.time_ns for edge in edges], dtype=np.float64) / NS_PER_MS
    heard = np.array(clicks_ns, dtype=np.float64) / NS_PER_MS
    if len(seen) < 2 or len(heard) < 2:
        return None
    found, score = _pairs(seen, heard)
    if len(found) < 2 or score < LEAST_MATCH * min(len(seen), len(heard)):
        return None
    at, offsets = seen[found[:, 0]], seen[found[:, 0]] - heard[found[:, 1]]
    spans = np.array([edges[index].after_ns - edges[index].before_ns for index in found[:, 0]]) / NS_PER_MS
    spacing_variance = float((spans**2).mean()) / 12  # of an edge anywhere between two frames
    variance = float(offsets.var(ddof=1))
    return LipSync(
        offset_ms=float(offsets.mean()),
        half_width_ms=Z95 * float(np.sqrt(max(variance, spacing_variance) / len(offsets))),
        jitter_ms=float(np.sqrt(max(0.0, variance - spacing_variance))),
        drift_ms_a_minute=_slope(at, offsets) * 60_000,
        pairs=len(found),
        unpaired=len(seen) + len(heard) - 2 * len(found),
        seen_ms=tuple(float(value) for value in at - at[0]),
        offsets_ms=tuple(float(value) for value in offsets),
    )


def _pairs(seen: NDArray[np.float64], heard: NDArray[np.float64]) -> tuple[NDArray[np.intp], float]:
    """(M, 2) indices of flash and click under the best shift, with the number of matches."""
    best, best_score = np.zeros((0, 2), dtype=np.intp), 0.0
    shifts = np.unique((seen[:, None] - heard[None, :]).ravel())
    for shift in shifts[np.abs(shifts) <= MOST_MS]:
        pairs = _nearest_pairs(seen - shift, heard)
        misfit = seen[pairs[:, 0]] - shift - heard[pairs[:, 1]]
        score = float(np.exp(-((misfit / SHARP_MS) ** 2)).sum())
        if score > best_score:
            best, best_score = pairs, score
    return best, best_score


def _nearest_pairs(seen: NDArray[np.float64], heard: NDArray[np.float64]) -> NDArray[np.intp]:
    gap = np.abs(seen[:, None] - heard[None, :])
    click = gap.argmin(axis=1)
    mutual = (gap.argmin(axis=0)[click] == np.arange(len(seen))) & (gap.min(axis=1) < NEAREST_MS)
    return np.column_stack([np.flatnonzero(mutual), click[mutual]])


def _slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    centred = x - x.mean()
    spread = float((centred**2).sum())
    return float((centred * y).sum()) / spread if spread else 0.0
