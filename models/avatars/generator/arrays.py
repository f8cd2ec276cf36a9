"""Types of the arrays that the generator works with."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]
Mask = NDArray[np.bool_]
Pixels = NDArray[np.uint8]
Grid = dict[tuple[int, int], int]  # (column, row) to vertex
Vector = tuple[float, ...]
