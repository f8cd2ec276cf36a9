"""Streaming log-mel features: int16 speech in, one level-normalised feature step every 20 ms out.

A step is two hops. It is always computed from the same samples in the same shapes, whatever the chunks were, so the
result is bit for bit independent of chunking. Nothing is allocated per step except inside numpy's FFT.

Level: each step is shown relative to a causal estimate of how loud the talker is (a peak follower on log energy, fast
up and slow down), so the same words at -40 and at 0 dBFS give almost the same features. The estimate has a floor, below
which sound counts as silence.
"""

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

FULL_SCALE = 32768.0
HOPS_PER_STEP = 2


class FeatureConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that the training and the runtime must share, to the digit.

    window, hop, fft: samples at rate_hz. low_hz, high_hz: the edges of the mel bands. Levels are in natural-log power
    of a band (0 is about a full-scale sine in that band); level_decay is subtracted from the level estimate each step,
    level_attack is the share of a rise that one step follows. Features are (log power - level) / spread, clipped to
    clip_low..clip_high.
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
        """New samples that one step takes."""
        return self.hop * HOPS_PER_STEP

    @property
    def width(self) -> int:
        """Values in one step."""
        return self.bands * HOPS_PER_STEP


def mel_weights(config: FeatureConfig) -> NDArray[np.float64]:
    """Triangular mel filters, float64 (fft // 2 + 1, bands), each summing to 1, with a high-frequency tilt.

    Mel scale: O'Shaughnessy, Speech Communication (1987): 2595 log10(1 + f / 700). The tilt, 1 + (f / tilt_hz)^2, is
    pre-emphasis done once in the weights instead of on every sample.
    """
    mel = 2595 * np.log10(1 + np.array([config.low_hz, config.high_hz]) / 700)
    edges = 700 * (10 ** (np.linspace(mel[0], mel[1], config.bands + 2) / 2595) - 1)
    hz = np.arange(config.fft // 2 + 1)[:, None] * config.rate_hz / config.fft
    rise = (hz - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - hz) / (edges[2:] - edges[1:-1])
    triangles = np.clip(np.minimum(rise, fall), 0, None)
    return np.asarray(triangles / triangles.sum(axis=0) * (1 + (hz / config.tilt_hz) ** 2), dtype=np.float64)


class FeatureStream:
    """One turn's features, a step at a time. Feed exactly `step_samples` to each call of `step`."""

    def __init__(self, config: FeatureConfig) -> None:
        self.config = config
        taper = np.hanning(config.window + 1)[: config.window]
        # Scaled so that a full-scale sine in one band has about unit power.
        self._taper = taper * (2 / taper.sum() / FULL_SCALE)
        # The FFT's output is read as (re, im) pairs, so each weight appears twice: squares and sums in one product.
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
        """Forget the turn."""
        self._history[:] = 0
        self.level = self.config.level_start

    def step(self, pcm: NDArray[np.int16]) -> NDArray[np.float32]:
        """int16 (step_samples,) -> float32 (2, bands) in clip_low..clip_high; a buffer that is reused."""
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
