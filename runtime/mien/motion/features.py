"""Streaming log-mel features of speech, normalised.

A step of 20 ms is two hops. It is always computed from the same samples in the same shapes, so that the result is
bit-identical for any chunking. Nothing is allocated per step except inside numpy's FFT.

Level: each step is relative to a causal estimate of the speaker's loudness (a peak follower on log energy with a fast
attack and a slow release), so that the same words at -40 and at 0 dBFS give almost the same features. The estimate has
a floor, below which sound counts as silence.

Speaker: the mean spectrum is subtracted, so that an unknown voice, microphone or room resembles the training data. This
is causal mean normalisation: Atal, "Effectiveness of linear prediction characteristics of the speech wave for automatic
speaker identification and verification", JASA 55 (1974); as a recursive mean that starts from a prior: Viikki and
Laurila, "Cepstral domain segmental feature vector normalization", Speech Communication 25 (1998).
"""

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

FULL_SCALE = 32768.0
HOPS_PER_STEP = 2


class FeatureConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters that training and runtime must share exactly.

    window, hop, fft: samples at rate_hz. low_hz, high_hz: the edges of the mel bands. Levels are the natural log
    of a band's power (0 is about a full-scale sine in that band). level_decay is subtracted from the level estimate
    each step; level_attack is the share of a rise that one step follows. Features are (log power - level) / spread,
    clipped to clip_low..clip_high.
    """

    rate_hz: int = 16_000
    hop: int = 160
    window: int = 400
    fft: int = 512
    bands: int = 40
    low_hz: float = 60.0
    high_hz: float = 7_600.0
    tilt_hz: float = 500.0
    floor: float = -18.0
    level_start: float = -11.5
    level_floor: float = -13.5
    level_attack: float = 0.5
    level_decay: float = 0.016
    spread: float = 3.0
    clip_low: float = -3.5
    clip_high: float = 1.0

    @property
    def step_samples(self) -> int:
        """The new samples of one step."""
        return self.hop * HOPS_PER_STEP

    @property
    def width(self) -> int:
        """The number of values in one step."""
        return self.bands * HOPS_PER_STEP


def mel_weights(config: FeatureConfig) -> NDArray[np.float64]:
    """Triangular mel filters, float64 (fft // 2 + 1, bands), each summing to 1, with a high-frequency tilt.

    Mel scale: O'Shaughnessy, Speech Communication (1987): 2595 log10(1 + f / 700). The tilt, 1 + (f / tilt_hz)^2, is
    pre-emphasis, applied once to the weights rather than to every sample.
    """
    mel = 2595 * np.log10(1 + np.array([config.low_hz, config.high_hz]) / 700)
    edges = 700 * (10 ** (np.linspace(mel[0], mel[1], config.bands + 2) / 2595) - 1)
    hz = np.arange(config.fft // 2 + 1)[:, None] * config.rate_hz / config.fft
    rise = (hz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - hz) / (edges[2:] - edges[1:-1])
    triangles = np.clip(np.minimum(rise, fall), 0, None)
    return np.asarray(triangles / triangles.sum(axis=0) * (1 + (hz / config.tilt_hz) ** 2), dtype=np.float64)


class FeatureStream:
    """The features of one turn, a step at a time. Each call of `step` takes exactly `step_samples`."""

    def __init__(self, config: FeatureConfig) -> None:
        self.config = config
        taper = np.hanning(config.window + 1)[: config.window]
        # Scaled so that a full-scale sine in one band has about unit power.
        self._taper = taper * (2 / taper.sum() / FULL_SCALE)
        # The FFT's output is read as (re, im) pairs, so each weight occurs twice: one product squares and sums.
        self._weights = np.repeat(mel_weights(config), 2, axis=0)
        self._history = np.zeros(config.window + config.hop, dtype=np.float64)
        stride = self._history.strides[0]
        self._windows = np.lib.stride_tricks.as_strided(
            self._history, (HOPS_PER_STEP, config.window), (config.hop * stride, stride), writeable=False
        )
        self._padded = np.zeros((HOPS_PER_STEP, config.fft), dtype=np.float64)
        self._tapered = self._padded[:, : config.window]
        self._least = math.exp(config.floor)
        self._power = np.empty((HOPS_PER_STEP, config.fft + 2), dtype=np.float64)
        self._log = np.empty((HOPS_PER_STEP, config.bands), dtype=np.float64)
        self._out = np.empty((HOPS_PER_STEP, config.bands), dtype=np.float32)
        self._kept = config.window + config.hop - config.step_samples
        self.level = config.level_start

    def reset(self) -> None:
        """Discard the turn."""
        self._history[:] = 0
        self.level = self.config.level_start

    def step(self, pcm: NDArray[np.int16]) -> NDArray[np.float32]:
        """int16 (step_samples,) -> float32 (2, bands) in clip_low..clip_high, in a buffer that is reused."""
        config, log = self.config, self._log
        self._history[: self._kept] = self._history[config.step_samples :]
        self._history[self._kept :] = pcm
        np.multiply(self._windows, self._taper, out=self._tapered)
        pairs = np.fft.rfft(self._padded, axis=1).view(np.float64)
        np.multiply(pairs, pairs, out=self._power)
        np.dot(self._power, self._weights, out=log)
        np.maximum(log, self._least, out=log)
        np.log(log, out=log)
        self._follow(float(log.max()))
        np.subtract(log, self.level, out=log)
        np.multiply(log, 1 / config.spread, out=log)
        np.maximum(log, config.clip_low, out=log)
        np.minimum(log, config.clip_high, out=self._out, casting="same_kind")
        return self._out

    def _follow(self, loudest: float) -> None:
        config = self.config
        level = self.level - config.level_decay
        if loudest > level:
            level += config.level_attack * (loudest - level)
        self.level = max(level, config.level_floor)


class BandMeanConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Parameters of the mean normalisation, in feature units and steps of 20 ms.

    reference: the mean band levels of the training speech. A turn starts as if `prior_steps` steps of it had been
    heard. decay: the factor on a step's weight after each further step. A step's weight is
    1 / (1 + exp(-sharpness (its mean level - loud))), so that silence does not affect the mean.
    """

    reference: list[float]
    decay: float = 0.995
    prior_steps: float = 15.0
    loud: float = -2.2
    sharpness: float = 4.0


class BandMean:
    """Mean normalisation of one turn. Nothing is allocated per step except numpy scalars."""

    def __init__(self, config: BandMeanConfig) -> None:
        self._config = config
        bands = len(config.reference)
        self._twice_reference = 2 * np.array(config.reference, dtype=np.float32)
        self._average = np.full(bands, 0.5 / bands, dtype=np.float32)
        self._sum = np.zeros(bands, dtype=np.float32)
        self._now = np.empty(bands, dtype=np.float32)
        self._out = np.empty((2, bands), dtype=np.float32)
        self._weight = 0.0

    def reset(self) -> None:
        """Discard the speaker's mean."""
        self._sum[:] = 0
        self._weight = 0.0

    def step(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """float32 (2, bands) -> float32 (2, bands), in a buffer that is reused."""
        config, now = self._config, self._now
        np.add(features[0], features[1], out=now)
        weight = 1 / (1 + math.exp(-config.sharpness * (float(now.dot(self._average)) - config.loud)))
        self._weight = config.decay * self._weight + weight
        # The sum is relative to the reference, so that a turn starts without any shift.
        np.subtract(now, self._twice_reference, out=now)
        np.multiply(now, 0.5 * weight, out=now)
        np.multiply(self._sum, config.decay, out=self._sum)
        np.add(self._sum, now, out=self._sum)
        np.multiply(self._sum, 1 / (self._weight + config.prior_steps), out=now)
        np.subtract(features, now, out=self._out)
        return self._out
