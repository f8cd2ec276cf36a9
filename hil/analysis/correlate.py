"""How far one signal lags another, by normalised cross-correlation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GRID_MS = 5.0


@dataclass(frozen=True, slots=True)
class Lag:
    """lag_ms: positive if the second signal is later. correlation: at that lag, -1..1.

    half_width_ms: distance at which the correlation has dropped by 5 %, as a measure of precision.
    """

    lag_ms: float
    correlation: float
    half_width_ms: float


def lag(
    first: tuple[NDArray[np.int64], NDArray[np.float64]],
    second: tuple[NDArray[np.int64], NDArray[np.float64]],
    most_ms: float = 400.0,
) -> Lag | None:
    """Both: ascending times in ns (N,) and values (N,). None if they overlap too little or one is constant."""
    begin, end = max(first[0][0], second[0][0]), min(first[0][-1], second[0][-1])
    step_ns = GRID_MS * 1e6
    if end - begin < 4 * most_ms * 1e6:
        return None
    grid = np.arange(begin, end, step_ns)
    a, b = (np.interp(grid, times, values) for times, values in (first, second))
    if a.std() == 0 or b.std() == 0:
        return None
    most = int(most_ms / GRID_MS)
    shifts = np.arange(-most, most + 1)
    scores = np.array([_correlation(a[most : len(a) - most], b[most + s : len(b) - most + s]) for s in shifts])
    peak = int(scores.argmax())
    fallen = np.flatnonzero(scores < 0.95 * scores[peak])
    width = np.abs(fallen - peak).min() if len(fallen) else most
    return Lag(float((shifts[peak] + _parabola(scores, peak)) * GRID_MS), float(scores[peak]), float(width * GRID_MS))


def _correlation(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    scale = float(a.std() * b.std())
    return float(((a - a.mean()) * (b - b.mean())).mean()) / scale if scale else 0.0


def _parabola(scores: NDArray[np.float64], peak: int) -> float:
    """Sub-sample position of the peak, -0.5..0.5 of a step, by a parabola through three points."""
    if not 0 < peak < len(scores) - 1:
        return 0.0
    left, top, right = scores[peak - 1 : peak + 2]
    bend = left - 2 * top + right
    return float(0.5 * (left - right) / bend) if bend else 0.0
