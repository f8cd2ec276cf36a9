"""Whisper's input: a log-mel spectrogram (Radford et al. 2022, section 2.2), in numpy."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

RATE_HZ: Final = 16_000
WINDOW: Final = 400
HOP: Final = 160
Floats = NDArray[np.float32]

# Slaney's mel scale: linear up to 1 kHz, then logarithmic with 27 steps for a factor of 6.4.
_LINEAR_HZ: Final = 200.0 / 3
_KNEE_HZ: Final = 1_000.0
_KNEE: Final = _KNEE_HZ / _LINEAR_HZ
_STEP: Final = np.log(6.4) / 27


def log_mel(pcm: bytes, seconds: float, bins: int = 80) -> Floats:
    """(bins, seconds * 100) of mono s16le at RATE_HZ, padded with silence or cut to `seconds`."""
    frames = round(seconds * RATE_HZ)
    sound = np.zeros(frames, np.float32)
    samples = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2")[:frames]
    sound[: len(samples)] = samples / np.float32(32768)
    padded = np.pad(sound, WINDOW // 2, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::HOP][: frames // HOP]
    spectrum = np.fft.rfft(windows * _hann(), axis=1)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    logs = np.log10(np.maximum(_mel_filters(bins) @ power.T, 1e-10))
    return np.ascontiguousarray((np.maximum(logs, logs.max() - 8) + 4) / 4, np.float32)


@cache
def _hann() -> Floats:
    return np.asarray(np.hanning(WINDOW + 1)[:-1], np.float32)


@cache
def _mel_filters(bins: int) -> Floats:
    """(bins, WINDOW / 2 + 1): triangles of equal area."""
    hertz = np.linspace(0, RATE_HZ / 2, WINDOW // 2 + 1)
    edges = _to_hertz(np.linspace(0, _to_mel(RATE_HZ / 2), bins + 2))
    rising = (hertz[None] - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - hertz[None]) / np.diff(edges)[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    return np.asarray(triangles * (2 / (edges[2:] - edges[:-2]))[:, None], np.float32)


def _to_mel(hertz: float) -> float:
    if hertz < _KNEE_HZ:
        return hertz / _LINEAR_HZ
    return _KNEE + float(np.log(hertz / _KNEE_HZ)) / float(_STEP)


def _to_hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(mel < _KNEE, mel * _LINEAR_HZ, _KNEE_HZ * np.exp(_STEP * (mel - _KNEE)))
