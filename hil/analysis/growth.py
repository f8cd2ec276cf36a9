"""Growth rate of a quantity sampled over hours."""

from collections.abc import Sequence

import numpy as np


def slope_an_hour(seconds: Sequence[float], values: Sequence[float]) -> float:
    """The Theil-Sen slope (median over all pairs) per hour: robust against a single jump or outlier."""
    t, v = np.asarray(seconds, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if len(t) < 2:
        return 0.0
    keep = np.unique(np.linspace(0, len(t) - 1, min(len(t), 400)).astype(int))
    t, v = t[keep], v[keep]
    upper = np.triu_indices(len(t), 1)
    return float(np.median((v[upper[1]] - v[upper[0]]) / (t[upper[1]] - t[upper[0]]))) * 3600
