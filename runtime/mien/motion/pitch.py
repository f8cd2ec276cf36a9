"""The fundamental frequency of speech, one estimate a 20 ms step, on samples thinned to 4 kHz.

Normalised cross-correlation after Talkin, "A robust algorithm for pitch tracking", in Speech Coding and Synthesis
(1995): it needs two periods where a spectrum needs three, and hears a fundamental that a telephone cut away.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE_HZ: Final = 16_000
STEP_SAMPLES: Final = 320
THINNING: Final = 4
LOW_RATE_HZ: Final = RATE_HZ // THINNING
STEP_LOW: Final = STEP_SAMPLES // THINNING
FULL_SCALE: Final = 32768.0
SHORTEST_LAG, LONGEST_LAG = 8, 62  # 500 Hz and 64.5 Hz
COMPARED: Final = 120  # 30 ms
_TAPS = 32
_CUTOFF_HZ = 900.0
# Of two lags that fit alike, the shorter: its double fits as well.
_LONG_LAG_COSTS = 0.12
# Lags so short that the thinned samples miss their top, by as much as this.
_COARSE_LAG, _HALF_AS_GOOD = 16, 0.85
# Power under which there is nothing to compare, -76 dBFS: what dither and an idle line leave.
_LEAST_POWER = 10**-7.6


class Pitch:
    """Feed `step`; the attributes then tell of it.

    hz: the fundamental, 64..500. clarity: how well one period repeats the last, up to 1; speech is voiced above about
    0.6. level_db: the power up to 900 Hz of this step, dB of full scale, -120 for silence. Nothing is known of the
    past beyond the 46 ms that are compared.
    """

    def __init__(self) -> None:
        centred = np.arange(_TAPS) - (_TAPS - 1) / 2
        taps = np.sinc(2 * _CUTOFF_HZ / RATE_HZ * centred) * np.hamming(_TAPS)
        self._taps = taps / taps.sum() / FULL_SCALE
        self._raw = np.zeros(_TAPS - THINNING + STEP_SAMPLES)
        stride = self._raw.strides[0]
        self._windows = np.lib.stride_tricks.as_strided(
            self._raw, (STEP_LOW, _TAPS), (THINNING * stride, stride), writeable=False
        )
        self._low = np.zeros(COMPARED + LONGEST_LAG)
        self._centred = np.zeros_like(self._low)
        self._sums = np.zeros(len(self._low) + 1)
        self._power = np.zeros(LONGEST_LAG + 1)
        # From the longest lag to none, as the sliding correlation gives them.
        self._worth = 1.0 - _LONG_LAG_COSTS * np.arange(LONGEST_LAG, -1, -1) / LONGEST_LAG
        self._worth[LONGEST_LAG + 1 - SHORTEST_LAG :] = 0.0
        self.reset()

    def reset(self) -> None:
        """Forget the past."""
        self._raw[:] = 0
        self._low[:] = 0
        self.hz, self.clarity, self.level_db = 100.0, 0.0, -120.0

    def step(self, pcm: NDArray[np.int16]) -> None:
        """int16 (320,) at 16 kHz."""
        self._thin(pcm)
        low, sums = self._centred, self._sums
        # The ufuncs' own reduce and accumulate: a method such as mean() takes three times as long on so few samples.
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
        alike = np.correlate(low, low[LONGEST_LAG:], "valid")
        np.multiply(power, newest, out=power)
        np.add(power, least * least, out=power)
        np.sqrt(power, out=power)
        np.divide(self._worth, power, out=power)
        np.multiply(alike, power, out=alike)
        self._choose(alike)

    def _thin(self, pcm: NDArray[np.int16]) -> None:
        raw, low = self._raw, self._low
        raw[: _TAPS - THINNING] = raw[STEP_SAMPLES:]
        raw[_TAPS - THINNING :] = pcm
        low[:-STEP_LOW] = low[STEP_LOW:]
        np.dot(self._windows, self._taps, out=low[-STEP_LOW:])

    def _choose(self, alike: NDArray[np.float64]) -> None:
        best = self._undoubled(alike, int(alike.argmax()))
        if not 0 < best < LONGEST_LAG - SHORTEST_LAG:  # a slope that goes on beyond the lags, no period
            self.clarity = 0.0
            return
        before, peak, after = alike[best - 1 : best + 2].tolist()
        bend = before - 2 * peak + after
        # Half of a doubled lag need be no top, and a parabola through a slope would lead anywhere, below zero too.
        aside = max(-0.5, min(0.5, 0.5 * (before - after) / bend)) if bend < 0 else 0.0
        self.clarity = peak / float(self._worth[best])
        self.hz = LOW_RATE_HZ / (LONGEST_LAG - best - aside)

    def _undoubled(self, alike: NDArray[np.float64], best: int) -> int:
        """`best`, or the place of half its lag: a short period falls between two samples, and then its double wins."""
        half = (LONGEST_LAG - best + 1) // 2
        if not SHORTEST_LAG < half <= _COARSE_LAG:
            return best
        first = LONGEST_LAG - half - 1
        shorter = first + int(alike[first : first + 3].argmax())
        return shorter if alike[shorter] > _HALF_AS_GOOD * alike[best] else best
