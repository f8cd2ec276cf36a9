"""Streaming prosody, as a track parallel to the poses in media time.

Frame k of a turn describes the moment k / PROSODY_HZ seconds after its first sample, as known lookahead_ms later. The
lookahead is what reveals a syllable as stressed while it still sounds. As in motion/base.py, frames do not depend on
the chunking, and each is returned exactly once.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.motion.base import Pcm
from mien.motion.framing import StepStream
from mien.motion.pitch import RATE_HZ, STEP_SAMPLES, Pitch

ProsodyFrames = NDArray[np.float32]

PROSODY_HZ: Final = RATE_HZ // STEP_SAMPLES
# stress 0..1: the prominence of the current syllable, 0 between stressed ones. pitch -1..1: relative to the speaker's
# mean, in half octaves. effort 0..1: loudness relative to the speaker's mean. voice: 1 during speech, 0 in pauses.
# rise 0..1: how much the pitch rises; held into the following pause, so that it is high after a question.
PROSODY_CHANNELS: Final = ("stress", "pitch", "effort", "voice", "rise")
STRESS, PITCH, EFFORT, VOICE, RISE = range(len(PROSODY_CHANNELS))

_STEP_S: Final = 1 / PROSODY_HZ
_VOICED: Final = 0.6
_LEAST_DB: Final = -66.0
_SPEAKER_RANGE_DB: Final = 22.0
_PEAK_FALLS_DB_PER_S: Final = 3.0
# The time constant of the speaker's means, which are plain averages until that much voiced speech was heard.
_MEAN_S: Final = 1.5
_PAUSE_S: Final = 0.24
_RISE_KEPT_S: Final = 0.6


class Prosody:
    """The prosody of one turn, a 20 ms step at a time. The speaker's means are learned from the turn itself."""

    def __init__(self) -> None:
        self._pitch = Pitch()
        self.reset()

    def reset(self) -> None:
        """Discard the turn."""
        self._pitch.reset()
        self._melody, self._accent = Melody(), Accent()
        self._peak_db = _LEAST_DB
        self._heard = 0
        self._mean_db = 0.0
        self._unvoiced_s = math.inf
        self._effort = 0.0

    def step(self, pcm: NDArray[np.int16], out: ProsodyFrames) -> None:
        """int16 (320,) at 16 kHz -> out, float32 (1, 5), written."""
        pitch = self._pitch
        pitch.step(pcm)
        level_db = pitch.level_db
        self._peak_db = max(level_db, self._peak_db - _PEAK_FALLS_DB_PER_S * _STEP_S)
        audible = level_db > max(_LEAST_DB, self._peak_db - _SPEAKER_RANGE_DB)
        voiced = audible and pitch.clarity > _VOICED
        louder_db = self._learn(level_db) if voiced else -12.0
        self._unvoiced_s = 0.0 if voiced else self._unvoiced_s + _STEP_S
        self._melody.step(12 * math.log2(pitch.hz) if voiced else None)
        self._effort += 0.12 * (_limit((louder_db + 4) / 9, 0, 1) - self._effort)
        row = out[0]
        row[STRESS] = self._accent.step(louder_db / 7 + max(-0.3, self._melody.above / 6) if voiced else 0.0)
        row[PITCH] = _limit(self._melody.smooth / 6, -1, 1)
        row[EFFORT] = self._effort
        row[VOICE] = self._unvoiced_s < _PAUSE_S
        row[RISE] = self._melody.rise

    def _learn(self, level_db: float) -> float:
        """Update the mean level with a voiced step. Returns the step's level relative to it, in dB."""
        self._heard += 1
        share = max(1 / self._heard, _STEP_S / _MEAN_S)
        self._mean_db += share * (level_db - self._mean_db)
        return level_db - self._mean_db


class Melody:
    """The pitch contour. above: semitones above the speaker's mean. smooth: the same, smoothed, and decaying in pauses.

    rise: 0..1, how much the most recent stretch rises.
    """

    def __init__(self) -> None:
        self.above = self.smooth = self.rise = 0.0
        self._mean = self._low = self._now = 0.0
        self._heard = 0
        self._silent_s = 0.0

    def step(self, semitones: float | None) -> None:
        """Advance one step. semitones: the pitch above any fixed reference, None when unvoiced."""
        if semitones is None:
            self._rest()
            return
        self._silent_s = 0.0
        self._heard += 1
        if self._heard == 1:
            self._mean = self._low = self._now = semitones
        # A jump of an octave for one step is an error of the estimate.
        near = self._now + _limit(semitones - self._now, -2.0, 2.0)
        self._now += 0.6 * (near - self._now)
        self._mean += max(1 / self._heard, _STEP_S / _MEAN_S) * (near - self._mean)
        self.above = self._now - self._mean
        self.smooth += 0.25 * (self.above - self.smooth)
        self._low = min(self._now, self._low + 0.12)
        self.rise = _limit(min(self._now - self._low, self.above + 3.0) / 3.5, 0, 1)

    def _rest(self) -> None:
        self._silent_s += _STEP_S
        self.above = 0.0
        self.smooth *= 0.94
        if self._silent_s > _RISE_KEPT_S:
            self.rise = 0.0
        if self._silent_s > _PAUSE_S:
            self._low = self._now


class Accent:
    """Detects stressed syllables: peaks of prominence relative to the usual peak and to the previous accent."""

    _GATHERED: Final = 0.3
    _LEAST: Final = 0.14
    _ABOVE_USUAL: Final = 1.12
    _USUAL_FOLLOWS: Final = 0.2
    _MARK_KEPT: Final = math.exp(-_STEP_S / 0.6)
    _MARKED: Final = 1.5
    _SHOWN_STEPS: Final = 7

    def __init__(self) -> None:
        self._gathered = self._before = self._usual = self._mark = 0.0
        self._rising = False
        self._strength, self._left = 0.0, 0

    def step(self, prominence: float) -> float:
        """Advance one step. prominence: 0 at the speaker's mean. Returns the stress to show, 0..1."""
        self._before = self._gathered
        self._gathered += self._GATHERED * (max(0.0, prominence) - self._gathered)
        self._mark *= self._MARK_KEPT
        self._left -= 1
        if self._rising and self._gathered < self._before:
            self._on_peak(self._before)
        self._rising = self._gathered > self._before
        return self._strength if self._left > 0 else 0.0

    def _on_peak(self, height: float) -> None:
        """Handle a peak of prominence."""
        if height > max(self._LEAST, self._mark, self._ABOVE_USUAL * self._usual):
            self._mark = self._MARKED * height
            self._strength = min(1.0, 0.3 + 1.2 * max(0.0, height - 0.8 * self._usual))
            self._left = self._SHOWN_STEPS
        if height > self._LEAST / 2:
            self._usual += self._USUAL_FOLLOWS * (height - self._usual)


class ProsodyStream:
    """Prosody as a stream parallel to that of a MotionEngine."""

    def __init__(self, lookahead_ms: float) -> None:
        """lookahead_ms: that of the engine whose poses it accompanies, at least one step of 20 ms.

        It is rounded down to whole steps, so that a frame is never later than the engine's.
        """
        self._prosody = Prosody()
        delay = max(0, int(lookahead_ms * PROSODY_HZ / 1000) - 1)
        self.lookahead_ms = (delay + 1) * 1000 / PROSODY_HZ
        self._steps = StepStream(
            self._prosody.step, step_samples=STEP_SAMPLES, frames_per_step=1, delay_frames=delay,
            width=len(PROSODY_CHANNELS),
        )  # fmt: skip

    def push(self, pcm: Pcm) -> ProsodyFrames:
        """Feed mono int16 (N,) at 16 kHz. Returns the frames that became final, float32 (n, 5), in a view."""
        return self._steps.push(pcm)

    def flush(self) -> ProsodyFrames:
        """End the turn as if silence followed. Returns the remaining frames and resets the stream."""
        frames = self._steps.flush()
        self.reset()
        return frames

    def reset(self) -> None:
        """Discard the turn. The next push starts a new one."""
        self._steps.reset()
        self._prosody.reset()


def _limit(value: float, least: float, most: float) -> float:
    return max(least, min(most, value))
