"""A realistic sound card on a manual clock, for effects that an ideal device does not show."""

import random

import numpy as np

from mien.audio.base import SinkFormat
from mien.errors import SinkError
from mien.units import NS_PER_MS, NS_PER_S, ms_to_frames


class CardSink:
    """Implements the contract of mien.audio.base, and gives tests the true state.

    step_ms: granularity of the reported position, which therefore lags. period_ms: granularity of the free space. ppm:
    how much faster than nominal the crystal is. behind_ms: delay from the buffer to the ear that the device does not
    report. partial: probability that a write accepts only part of what would fit.
    """

    def __init__(
        self, clock, rate_hz, buffer_frames, *, step_ms=10, period_ms=5, ppm=0, behind_ms=0, partial=0.0, seed=1
    ):
        self.format = SinkFormat(rate_hz=rate_hz, buffer_frames=buffer_frames)
        self.underruns = 0
        self._clock = clock
        self._step = max(1, ms_to_frames(step_ms, rate_hz))
        self._period = max(1, ms_to_frames(period_ms, rate_hz))
        self._true_hz = rate_hz * (1 + ppm / 1e6)
        self._behind_ns = round(behind_ms * NS_PER_MS)
        self._partial, self._random = partial, random.Random(seed)
        self._closed = False
        self._blocks = []
        self._taken = 0  # since it was opened
        self._runs = []  # (start in ns, first frame) of each uninterrupted run
        self._first = 0  # first frame of the current run
        self._since_ns = 0
        self._started = False

    def write(self, pcm):
        """Queue frames, int16 (N,). Returns how many were taken. Raises SinkError if closed."""
        room = self.format.buffer_frames - self.delay_frames()
        room -= room % self._period if room < self.format.buffer_frames else 0
        count = min(len(pcm), room)
        if count and self._partial and self._random.random() < self._partial:
            count = self._random.randrange(count)
        if count:
            self._go_on()
            self._blocks.append(pcm[:count].copy())
            self._taken += count
        return count

    def delay_frames(self):
        """Frames accepted but not yet heard, by the reported position. Raises SinkError if closed."""
        self._check()
        run, played = self._taken - self._first, self._played()
        return 0 if played >= run else run - played // self._step * self._step

    def drop(self):
        """Discard what is queued. Raises SinkError if closed."""
        self._check()
        heard = self._first + self._played()
        self._blocks, self._taken, self._first = [self.pcm[:heard]], heard, heard
        self._started = False

    def close(self):
        """Close at once; queued frames are not heard."""
        self._closed = True

    @property
    def pcm(self):
        """All that was written, int16 (N,)."""
        self._blocks = [np.concatenate(self._blocks)] if self._blocks else [np.zeros(0, np.int16)]
        return self._blocks[0]

    def heard(self):
        """What has reached the ear by now, int16 (N,): a prefix of `pcm`."""
        now_ns = self._clock.now_ns() - self._behind_ns
        return self.pcm[: self._first + self._played(now_ns)]

    def heard_at_ns(self, frame):
        """When a frame of `pcm` reached the ear, or will without an underrun, in ns."""
        start_ns, first = next(run for run in reversed(self._runs) if run[1] <= frame)
        return start_ns + round((frame - first) * NS_PER_S / self._true_hz) + self._behind_ns

    def _go_on(self):
        if self._started and self._played() < self._taken - self._first:
            return
        self.underruns += self._started
        self._started = True
        self._first, self._since_ns = self._taken, self._clock.now_ns()
        self._runs.append((self._since_ns, self._first))

    def _played(self, now_ns=None):
        elapsed_ns = (self._clock.now_ns() if now_ns is None else now_ns) - self._since_ns
        return min(self._taken - self._first, max(0, int(elapsed_ns * self._true_hz / NS_PER_S)))

    def _check(self):
        if self._closed:
            raise SinkError("the card was closed")
