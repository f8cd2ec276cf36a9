"""Cuts one channel of captured sound into blocks of 20 ms at 16 kHz."""

from collections.abc import Iterator

import numpy as np

from mien.audio.resample import Resampler
from mien.capture.base import Pcm
from mien.core.ear_bus import EAR_BLOCK_FRAMES, EAR_RATE_HZ


class BlockCutter:
    """Resamples once. The lookahead of the resampler delays blocks by at most 4 ms, and none of their times."""

    def __init__(self, rate_hz: int, channel: int) -> None:
        """rate_hz: one of RATES_HZ. channel: which one to take, from 0."""
        self._rate_hz = rate_hz
        self._channel = channel
        self._resampler = Resampler(rate_hz, EAR_RATE_HZ)
        self.restart(0)

    def restart(self, frame: int) -> None:
        """Sound was lost: drop what is not a whole block. frame: the device's number of the next one."""
        self._resampler.restart()
        self._first = frame
        self._cut = 0
        self._rest = np.empty(0, np.int16)
        self._raw: list[Pcm] = []
        self._raw_frames = 0

    def push(self, pcm: Pcm) -> Iterator[tuple[Pcm, int]]:
        """Take captured frames, int16 (N, channels). Yields (block, the device's number of its first frame)."""
        self._raw.append(pcm[:, self._channel])
        self._raw_frames += len(pcm)
        if len(self._rest) + self._resampler.yields(self._raw_frames) < EAR_BLOCK_FRAMES:
            return  # a call of the resampler costs more than its arithmetic
        sound = self._resampler.push(np.concatenate(self._raw))
        self._raw, self._raw_frames = [], 0
        self._rest = np.concatenate((self._rest, sound))
        whole = len(self._rest) // EAR_BLOCK_FRAMES
        for index in range(whole):
            at = index * EAR_BLOCK_FRAMES
            yield self._rest[at : at + EAR_BLOCK_FRAMES], self._first + self._cut * self._rate_hz // EAR_RATE_HZ
            self._cut += EAR_BLOCK_FRAMES
        self._rest = self._rest[whole * EAR_BLOCK_FRAMES :]
