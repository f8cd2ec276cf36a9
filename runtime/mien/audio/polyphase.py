"""The resampler's polyphase filter: a Kaiser-windowed sinc, arranged as matrices.

For a rate change of up/down (in lowest terms), output n is at input time n * down / up. It is the dot product of the
filter row of phase (n * down) % up and the 2 * lookahead input frames around that time. A few neighbouring outputs form
a block, computed by one matrix product over all input frames that they need.

Coefficients are rounded to multiples of 2**-24. With int16 input, every product and partial sum is then an exact
float64 (16 + 24 + 8 bits are fewer than 53), so the result does not depend on the order of summation: the same speech
gives the same samples, however it is split into chunks.

Source of the window and its beta: J. F. Kaiser, "Nonrecursive digital filter design using the I0-sinh window
function", 1974.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import ceil
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.core.wire import RATES_HZ

HALF_WIDTH: Final = 32
"""Half the filter's length, in frames at the lower of the two rates: 2 ms at 16 kHz, 4 ms at 8 kHz."""

STOPBAND_DB: Final = 80.0
CUTOFF: Final = 0.96
"""The -6 dB point as a share of the lower Nyquist frequency: passband up to 0.88, stopband from 1.04."""

GRID: Final = 2.0**24

BLOCK_LIMIT: Final = 24
"""Maximum outputs per block: larger blocks share one product, but more of the matrix is zero."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterBank:
    """up, down: the rate change in lowest terms. lookahead: input frames needed beyond an output's time.

    matrices: float64 (period, span, block). Block b holds the outputs from b * block on:
    input[start : start + span] @ matrices[b % period], where start is first_input(b * block).
    """

    up: int
    down: int
    lookahead: int
    matrices: NDArray[np.float64]

    def first_input(self, output: int) -> int:
        """The first input frame that this output needs; negative ones are silence before the start."""
        return output * self.down // self.up + 1 - self.lookahead


@lru_cache(maxsize=2 * len(RATES_HZ))  # from every client rate, to the sink's and the model's rate
def design(from_hz: int, to_hz: int) -> FilterBank:
    """The filter bank for a rate change. Linear phase: no shift once the lookahead is compensated."""
    ratio = Fraction(to_hz, from_hz)
    lookahead = ceil(HALF_WIDTH * max(1.0, from_hz / to_hz))
    rows = _rows(ratio.numerator, lookahead, CUTOFF * min(1.0, to_hz / from_hz))
    matrices = _matrices(rows, ratio.numerator, ratio.denominator)
    matrices.flags.writeable = False
    return FilterBank(up=ratio.numerator, down=ratio.denominator, lookahead=lookahead, matrices=matrices)


def _rows(up: int, lookahead: int, bandwidth: float) -> NDArray[np.float64]:
    """The coefficients of each phase in input order, float64 (up, 2 * lookahead); each row sums to 1."""
    taps = np.arange(1 - lookahead, lookahead + 1, dtype=np.float64)
    distance = taps[np.newaxis, :] - np.arange(up, dtype=np.float64)[:, np.newaxis] / up
    rows = np.sinc(bandwidth * distance) * _kaiser(distance / lookahead)
    rows /= rows.sum(axis=1, keepdims=True)
    return np.asarray(np.rint(rows * GRID) / GRID, dtype=np.float64)


def _kaiser(position: NDArray[np.float64]) -> NDArray[np.float64]:
    """The Kaiser window at positions -1..1, not normalised."""
    beta = 0.1102 * (STOPBAND_DB - 8.7)
    return np.asarray(np.i0(beta * np.sqrt(np.maximum(0.0, 1.0 - position**2))), dtype=np.float64)


def _matrices(rows: NDArray[np.float64], up: int, down: int) -> NDArray[np.float64]:
    """The rows arranged as blocks."""
    block = _block_length(up)
    period = max(1, up // block)
    taps = rows.shape[1]
    matrices = np.zeros((period, taps + (block - 1) * down // up + 1, block))
    for index in range(period):
        first = index * block * down // up
        for column in range(block):
            output = index * block + column
            at = output * down // up - first
            matrices[index, at : at + taps, column] = rows[output * down % up]
    return matrices


def _block_length(up: int) -> int:
    """A multiple or a divisor of `up`, so that whole blocks form a whole period."""
    if up <= BLOCK_LIMIT:
        return BLOCK_LIMIT // up * up
    return max(length for length in range(1, BLOCK_LIMIT + 1) if up % length == 0)
