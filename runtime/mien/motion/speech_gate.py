"""A gate that closes the mouth on sounds other than speech: a still mouth is better than one that follows a fan.

Either of two cues suffices for speech. Its spectrum changes within 60 ms, more than that of a fan or a held chord; and
its pitch glides, whereas an instrument holds its notes and noise has none. The second cue costs more, and is evaluated
only while the first is weak. Doubtful sound counts as speech: the gate starts open, opens with each new sound after a
pause, and takes more than a second to close.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.motion.pitch import Pitch

STEP_S: Final = 0.02
_BACK: Final = 3  # distance of the compared spectra, in steps
_AUDIBLE: Final = -1.5  # level of the loudest band, in feature units
_PAUSE_STEPS: Final = 8
# Thresholds from prompts in French, Italian and Russian. Spectral change: clean speech .53 or more, speech with noise
# at 10 dB .25; noise .18, chords .15, a band .4. Share of gliding steps: speech .2 or more, telephone speech in noise
# .12; a band .05 to .09, chords and noise 0. None of 1038 prompts closed the gate, nor did 20 of them over the
# telephone, in a room, or in noise or music at 10 dB.
_LIVELY: Final = 0.5
_GLIDING: Final = 0.11
_HYSTERESIS: Final = 1.8
_DECAY: Final = 1 / 50
_LIVELY_AT_FIRST, _GLIDING_AT_FIRST = 0.5, 0.3
_VOICED: Final = 0.62
_GLIDE_SEMITONES: Final = (0.05, 1.5)
_OPENS_S, _CLOSES_S = 0.08, 0.4


class SpeechGate:
    """gain: 0..1, the factor on mouth motion after the last step."""

    def __init__(self, bands: int) -> None:
        """bands: the number of feature bands."""
        self._pitch = Pitch()
        self._past = np.zeros((_BACK, bands), dtype=np.float32)
        self._now = np.zeros(bands, dtype=np.float32)
        self._change = np.zeros(bands, dtype=np.float32)
        self.reset()

    def reset(self) -> None:
        """Discard the turn."""
        self._pitch.reset()
        self._past[:] = 0
        self._place = 0
        self._quiet_steps = _PAUSE_STEPS
        self._open = True
        self._lively, self._gliding = _LIVELY_AT_FIRST, _GLIDING_AT_FIRST
        self._semitones, self._glided = math.nan, True
        self.gain = 1.0

    def step(self, features: NDArray[np.float32], pcm: NDArray[np.int16]) -> float:
        """Features, float32 (2, bands), and the int16 (320,) that they end with. Returns the gain."""
        change = self._changed(features)
        if float(np.maximum.reduce(self._now)) > _AUDIBLE:
            self._hear(change, pcm)
        else:
            self._quiet_steps += 1
        wanted = 1.0 if self._open else 0.0
        way = STEP_S / (_OPENS_S if self._open else _CLOSES_S)
        self.gain += max(-way, min(way, wanted - self.gain))
        return self.gain

    def _changed(self, features: NDArray[np.float32]) -> float:
        """The mean absolute change of the bands over three steps."""
        now, past = self._now, self._past[self._place]
        np.add(features[0], features[1], out=now)
        np.multiply(now, 0.5, out=now)
        np.subtract(now, past, out=self._change)
        np.abs(self._change, out=self._change)
        past[:] = now
        self._place = (self._place + 1) % _BACK
        return float(np.add.reduce(self._change)) / len(now)

    def _hear(self, change: float, pcm: NDArray[np.int16]) -> None:
        if self._quiet_steps >= _PAUSE_STEPS:
            self._open = True
            self._lively, self._gliding = _LIVELY_AT_FIRST, _GLIDING_AT_FIRST
        self._quiet_steps = 0
        self._lively += _DECAY * (change - self._lively)
        margin = 1.0 if self._open else _HYSTERESIS
        if self._lively > _LIVELY * margin:
            self._open = True
            self._gliding, self._semitones, self._glided = _GLIDING_AT_FIRST, math.nan, True
            return
        self._gliding += _DECAY * (self._glides(pcm) - self._gliding)
        self._open = self._gliding > _GLIDING * margin

    def _glides(self, pcm: NDArray[np.int16]) -> float:
        """1 if the pitch has glided smoothly for two steps, else 0; 1 when the previous step is unknown."""
        pitch, before, glided = self._pitch, self._semitones, self._glided
        pitch.step(pcm)
        self._semitones = 12 * math.log2(pitch.hz) if pitch.clarity > _VOICED else -math.inf
        if math.isnan(before):
            return 1.0
        least, most = _GLIDE_SEMITONES
        self._glided = least < abs(self._semitones - before) < most
        return float(glided and self._glided)
