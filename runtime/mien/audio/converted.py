"""A sink at another rate than its device's: for a card that plays 44.1 kHz and nothing else."""

from typing import Final

import numpy as np

from mien.audio.base import Pcm, Sink, SinkFormat
from mien.audio.resample import Resampler

_NOTHING: Final = np.empty(0, np.int16)


def at_rate(sink: Sink, rate_hz: int) -> Sink:
    """The sink as one of rate_hz: itself, or with a resampler before it. Raises ValueError as Resampler."""
    return sink if sink.format.rate_hz == rate_hz else ConvertedSink(sink, rate_hz)


class ConvertedSink:
    """Takes frames at rate_hz and gives them to the device at its own. Keeps the contract of mien.audio.base.

    The resampler looks up to 1 ms ahead: so much is held back, counts as not yet heard, and is given to the device when
    that has nothing else left.
    """

    def __init__(self, device: Sink, rate_hz: int) -> None:
        """Raises ValueError for a rate that is not in RATES_HZ."""
        self._device = device
        self._device_hz = device.format.rate_hz
        self._resampler = Resampler(rate_hz, self._device_hz)
        buffer_frames = device.format.buffer_frames * rate_hz // self._device_hz
        self.format = SinkFormat(rate_hz=rate_hz, buffer_frames=buffer_frames)
        self.underruns = 0
        self._dry = self._flushed = False
        self._taken = self._given = 0
        self._waiting = _NOTHING

    def write(self, pcm: Pcm) -> int:
        """Queue frames, int16 (N,). Returns how many were taken, 0..N. Raises SinkError."""
        part = pcm[: self.format.buffer_frames - self.delay_frames()]
        if not len(part):
            return 0
        before = self._device.underruns
        self._taken += len(part)
        self._flushed = False
        self._give(self._resampler.push(part))
        self.underruns += self._dry or self._device.underruns != before
        self._dry = False
        return len(part)

    def delay_frames(self) -> int:
        """Frames that were taken and are not yet heard. Raises SinkError."""
        queued = self._give(_NOTHING)
        if not queued and self._taken and not self._flushed:
            self._flushed = True
            queued = self._give(self._resampler.flush())
        if not queued and self._flushed:
            self._forget()
            self._dry = True
        heard = (self._given - queued) * self.format.rate_hz // self._device_hz
        return max(0, self._taken - heard)

    def drop(self) -> None:
        """Forget what is queued. Raises SinkError."""
        self._device.drop()
        self._resampler.restart()
        self._forget()

    def close(self) -> None:
        """Give the device back."""
        self._device.close()

    def _forget(self) -> None:
        """All was heard, or dropped."""
        self._dry = self._flushed = False
        self._taken = self._given = 0
        self._waiting = _NOTHING

    def _give(self, pcm: Pcm) -> int:
        """To the device, behind what it did not take before. Returns how many of its frames are not heard yet."""
        self._given += len(pcm)
        waiting = np.concatenate((self._waiting, pcm)) if len(self._waiting) else pcm
        self._waiting = waiting[self._device.write(waiting) :] if len(waiting) else _NOTHING
        return len(self._waiting) + self._device.delay_frames()
