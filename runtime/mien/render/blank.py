"""Whether a screen shows anything: a context can be lost, or a driver can draw nothing, without any error. Pure."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

# A face over a gradient spans far more; dither and compression noise less.
_LEAST_SPAN: Final = 12


def is_blank(samples: NDArray[np.uint8]) -> bool:
    """Whether pixels taken all over a picture, uint8 (N, 3), are all but one colour."""
    return samples.size == 0 or int(np.ptp(samples, axis=0).max()) < _LEAST_SPAN
