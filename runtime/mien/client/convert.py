"""Samples of any WAV format to mono s16le at another rate."""

from __future__ import annotations

from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

from mien.client.wav import WavFormat

_FULL_SCALE = 32767.0


class MonoConverter:
    """Mixes channels down by their mean and resamples (soxr, HQ), block by block."""

    def __init__(self, fmt: WavFormat, rate_hz: int) -> None:
        self._format = fmt
        self._resampler: Any = None
        if fmt.rate_hz != rate_hz:
            self._resampler = soxr.ResampleStream(fmt.rate_hz, rate_hz, 1, dtype="int16")

    def convert(self, block: bytes) -> bytes:
        """Whole frames in the WAV's format to s16le. May give nothing yet."""
        mono = block if self._format.is_mono_s16 else mono_s16(block, self._format).tobytes()
        return mono if self._resampler is None else self._resample(mono, last=False)

    def flush(self) -> bytes:
        """What the resampler still holds."""
        return b"" if self._resampler is None else self._resample(b"", last=True)

    def _resample(self, mono: bytes, *, last: bool) -> bytes:
        samples = np.frombuffer(mono, dtype="<i2").astype(np.int16, copy=False)
        return bytes(self._resampler.resample_chunk(samples, last=last).astype("<i2", copy=False).tobytes())


def mono_s16(block: bytes, fmt: WavFormat) -> NDArray[np.int16]:
    """Frames as one int16 channel, rounded and clipped."""
    frames = _full_scale(block, fmt).reshape(-1, fmt.channels)
    mixed = frames.mean(axis=1, dtype=np.float64) * _FULL_SCALE
    samples: NDArray[np.int16] = np.clip(np.rint(mixed), -32768, 32767).astype("<i2")
    return samples


def _full_scale(block: bytes, fmt: WavFormat) -> NDArray[np.float32]:
    """Samples as floats in -1..1."""
    if fmt.floating:
        floats = np.frombuffer(block, dtype=f"<f{fmt.bits // 8}").astype(np.float32)
        return np.nan_to_num(floats, posinf=1.0, neginf=-1.0)
    if fmt.bits == 8:
        return (np.frombuffer(block, dtype=np.uint8).astype(np.float32) - 128.0) / 127.0
    if fmt.bits == 24:
        padded = np.zeros((len(block) // 3, 4), dtype=np.uint8)
        padded[:, 1:] = np.frombuffer(block, dtype=np.uint8).reshape(-1, 3)
        return padded.view("<i4")[:, 0].astype(np.float32) / 2147483647.0
    limit = 32767.0 if fmt.bits == 16 else 2147483647.0
    return np.frombuffer(block, dtype=f"<i{fmt.bits // 8}").astype(np.float32) / limit
