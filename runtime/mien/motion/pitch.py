"""The fundamental frequency of speech: one estimate per 20 ms step, on samples decimated to 4 kHz.

Normalised cross-correlation after Talkin, "A robust algorithm for pitch tracking", in Speech Coding and Synthesis
(1995). It needs two periods where a spectrum needs three, and finds a fundamental that the telephone band removed.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE_HZ: Final = 16_000
STEP_SAMPLES: Final = 320
DECIMATION: Final = 4
LOW_RATE_HZ: Final = RATE_HZ // DECIMATION
STEP_LOW: Final = STEP_SAMPLES // DECIMATION
FULL_SCALE: Final = 32768.0
SHORTEST_LAG, LONGEST_LAG = 8, 62  # 500 Hz and 64.5 Hz
COMPARED: Final = 120  # 30 ms
_TAPS = 32
_CUTOFF_HZ = 900.0
# A penalty on long lags, because twice the period correlates as well as the period itself.
_LONG_LAG_COSTS = 0.12
# Up to _COARSE_LAG, decimated samples may miss the correlation peak by this factor.
_COARSE_LAG, _HALF_AS_GOOD = 16, 0.85
# Power of -76 dBFS, which dither and an idle line stay below: nothing is compared there.
_LEAST_POWER = 10**-7.6


class Pitch:
    """A pitch tracker. Each call of `step` updates the attributes.

    hz: the fundamental, 64..500. clarity: how well one period repeats the last, up to 1; speech is voiced above about
    0.6. level_db: the power of this step below 900 Hz in dBFS, -120 for silence. Its memory is the 46 ms that it
    compares.
    """

    def __init__(self) -> None:
        centred = np.arange(_TAPS) - (_TAPS - 1) / 2
        taps = np.sinc(2 * _CUTOFF_HZ / RATE_HZ * centred) * np.hamming(_TAPS)
        self._taps = taps / taps.sum() / FULL_SCALE
        self._raw = np.zeros(_TAPS - DECIMATION + STEP_SAMPLES)
        stride = self._raw.strides[0]
        self._windows = np.lib.stride_tricks.as_strided(
            self._raw, (STEP_LOW, _TAPS), (DECIMATION * stride, stride), writeable=False
        )
        self._low = np.zeros(COMPARED + LONGEST_LAG)
        self._centred = np.zeros_like(self._low)
        self._sums = np.zeros(len(self._low) + 1)
        self._power = np.zeros(LONGEST_LAG + 1)
        # From the longest lag to zero, in the order of the sliding correlation.
        self._worth = 1.0 - _LONG_LAG_COSTS * np.arange(LONGEST_LAG, -1, -1) / LONGEST_LAG
        self._worth[LONGEST_LAG + 1 - SHORTEST_LAG :] = 0.0
        self.reset()

    def reset(self) -> None:
        """Discard the history."""
        self._raw[:] = 0
        self._low[:] = 0
        self.hz, self.clarity, self.level_db = 100.0, 0.0, -120.0

    def step(self, pcm: NDArray[np.int16]) -> None:
        """int16 (320,) at 16 kHz."""
        self._decimate(pcm)
        low, sums = self._centred, self._sums
        # ufunc.reduce and accumulate: methods such as mean() take three times as long on so few samples.
        np.subtract(self._low, np.add.reduce(self._low) / len(low), out=low)
        np.multiply(low, low, out=sums[1:])
        np.add.accumulate(sums[1:], out=sums[1:])
        self.level_db = 10 * math.log10(max(float(sums[-1] - sums[-1 - STEP_LOW]) / STEP_LOW, 1e-12))
        power = self._power
        np.subtract(sums[COMPARED:], sums[: LONGEST_LAG + 1], out=power)
        least = COMPARED * _LEAST_POWER
        newest = float(power[-1])
        if newest < least:
            self.clarity = 0.0
            return
        correlation = np.correlate(low, low[LONGEST_LAG:], "valid")
        np.multiply(power, newest, out=power)
        np.add(power, least * least, out=power)
        np.sqrt(power, out=power)
        np.divide(self._worth, power, out=power)
        np.multiply(correlation, power, out=correlation)
        self._choose(correlation)

    def _decimate(self, pcm: NDArray[np.int16]) -> None:
        raw, low = self._raw, self._low
        raw[: _TAPS - DECIMATION] = raw[STEP_SAMPLES:]
        raw[_TAPS - DECIMATION :] = pcm
        low[:-STEP_LOW] = low[STEP_LOW:]
        np.dot(self._windows, self._taps, out=low[-STEP_LOW:])

    def _choose(self, correlation: NDArray[np.float64]) -> None:
        best = self._undoubled(correlation, int(correlation.argmax()))
        if not 0 < best < LONGEST_LAG - SHORTEST_LAG:  # a slope that continues beyond the lags is not a period
            self.clarity = 0.0
            return
        before, peak, after = correlation[best - 1 : best + 2].tolist()
        bend = before - 2 * peak + after
        # Half of a doubled lag need not be a peak, and a parabola through a slope could lead anywhere, even below zero.
        aside = max(-0.5, min(0.5, 0.5 * (before - after) / bend)) if bend < 0 else 0.0
        self.clarity = peak / float(self._worth[best])
        self.hz = LOW_RATE_HZ / (LONGEST_LAG - best - aside)

    def _undoubled(self, correlation: NDArray[np.float64], best: int) -> int:
        """`best`, or the index of half its lag: a short period may fall between samples, so that its double wins."""
        half = (LONGEST_LAG - best + 1) // 2
        if not SHORTEST_LAG < half <= _COARSE_LAG:
            return best
        first = LONGEST_LAG - half - 1
        shorter = first + int(correlation[first : first + 3].argmax())
        return shorter if correlation[shorter] > _HALF_AS_GOOD * correlation[best] else best
