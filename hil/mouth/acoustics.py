"""What becomes of sound between a speaker and a microphone, block by block: distortion, walls, a crystal's drift."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from hil.mouth.ring import RATE_HZ

Signal = NDArray[np.float64]
BLOCK_FRAMES: Final = 480
"""10 ms: every stage takes and gives blocks of this length."""

THIN_HZ: Final = 200.0
THIN_FRAMES: Final = 600
HALF_TAPS: Final = 16
PHASES: Final = 512


class Convolver:
    """Convolves a stream with a response, without any delay: uniformly partitioned overlap-save."""

    def __init__(self, response: Signal) -> None:
        count = -(-len(response) // BLOCK_FRAMES)
        padded = np.zeros(count * BLOCK_FRAMES)
        padded[: len(response)] = response
        self._response = np.fft.rfft(padded.reshape(count, BLOCK_FRAMES), 2 * BLOCK_FRAMES, axis=1)
        self._past = np.zeros_like(self._response)
        self._before = np.zeros(BLOCK_FRAMES)

    def process(self, block: Signal) -> Signal:
        """The next BLOCK_FRAMES of the convolution."""
        self._past[1:] = self._past[:-1]
        self._past[0] = np.fft.rfft(np.concatenate((self._before, block)))
        self._before = block.copy()
        return np.asarray(np.fft.irfft((self._past * self._response).sum(axis=0))[BLOCK_FRAMES:], np.float64)


class Loudspeaker:
    """A small one: little below THIN_HZ, soft clipping. distortion: 0 none, 1 a small speaker at its limit."""

    def __init__(self, distortion: float) -> None:
        self._drive = 1.5 * distortion
        self._thin = Convolver(_high_pass())

    def process(self, block: Signal) -> Signal:
        """The next block, -1..1 at full scale."""
        thin = self._thin.process(block)
        return np.asarray(np.tanh(self._drive * thin) / self._drive, np.float64) if self._drive else thin


class Crystal:
    """Samples a stream at RATE_HZ with a crystal that is `ppm` fast. Its output ends HALF_TAPS frames earlier."""

    def __init__(self, ppm: float) -> None:
        self._step = 1 / (1 + ppm * 1e-6)
        self._made = 0
        self._held = np.zeros(HALF_TAPS)  # frames before the first are silence
        self._held_from = -HALF_TAPS

    def process(self, block: Signal) -> Signal:
        """The frames that can be computed once this block is known."""
        self._held = np.concatenate((self._held, block))
        end = self._held_from + len(self._held) - HALF_TAPS
        count = max(0, int((end - 1) / self._step) - self._made + 1)
        at = (self._made + np.arange(count)) * self._step
        whole = np.floor(at).astype(np.int64)
        phase = np.rint((at - whole) * PHASES).astype(np.int64)
        first = whole - self._held_from - HALF_TAPS + 1
        spans = self._held[first[:, np.newaxis] + np.arange(2 * HALF_TAPS)]
        made = np.einsum("nk,nk->n", spans, _FILTERS[phase])
        self._made += count
        keep = int(self._made * self._step) - HALF_TAPS - self._held_from
        self._held, self._held_from = self._held[keep:], self._held_from + keep
        return np.asarray(made, np.float64)


def as_pcm(sound: Signal) -> "NDArray[np.int16]":
    """Int16; louder sounds clip as in a converter."""
    return np.asarray(np.clip(np.rint(sound * 32767), -32768, 32767), np.int16)


def _high_pass() -> Signal:
    """The response of a pole and a zero: causal, so nothing is heard late."""
    pole = float(np.exp(-2 * np.pi * THIN_HZ / RATE_HZ))
    response = -(1 - pole) * pole ** np.arange(-1, THIN_FRAMES - 1, dtype=np.float64)
    response[0] = 1.0
    return np.asarray(response, np.float64)


def _filters() -> Signal:
    """Windowed sincs that read k / PHASES of a frame after the span's frame HALF_TAPS - 1."""
    distance = np.arange(1 - HALF_TAPS, HALF_TAPS + 1) - (np.arange(PHASES + 1) / PHASES)[:, np.newaxis]
    taps = np.sinc(distance) * np.cos(distance * (np.pi / (2 * HALF_TAPS + 2))) ** 2
    return np.asarray(taps / taps.sum(axis=1, keepdims=True), np.float64)


_FILTERS: Final = _filters()
