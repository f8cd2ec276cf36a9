"""A sink that resamples to its device's rate, for cards that only play 44.1 kHz, for example."""

from typing import Final

import numpy as np

from mien.audio.base import Pcm, Sink, SinkFormat
from mien.audio.resample import Resampler

_NOTHING: Final = np.empty(0, np.int16)


def at_rate(sink: Sink, rate_hz: int) -> Sink:
    """The sink itself if it plays at rate_hz, else wrapped in a resampler. Raises ValueError as Resampler."""
    return sink if sink.format.rate_hz == rate_hz else ConvertedSink(sink, rate_hz)


class ConvertedSink:
    """Accepts frames at rate_hz and writes them to the device at its own rate. Implements mien.audio.base.Sink.

    The resampler looks up to 1 ms ahead. That much is held back, counts as not yet heard, and is flushed to the device
    when its queue is empty.
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
        """Queue frames, int16 (N,). Returns how many were accepted, 0..N. Raises SinkError."""
        part = pcm[: self.format.buffer_frames - self.delay_frames()]
        if not len(part):
            return 0
        before = self._device.underruns
        self._taken += len(part)
        self._flushed = False
        self._feed(self._resampler.push(part))
        self.underruns += self._dry or self._device.underruns != before
        self._dry = False
        return len(part)

    def delay_frames(self) -> int:
        """Accepted frames that have not been heard yet. Raises SinkError."""
        queued = self._feed(_NOTHING)
        if not queued and self._taken and not self._flushed:
            self._flushed = True
            queued = self._feed(self._resampler.flush())
        if not queued and self._flushed:
            self._reset()
            self._dry = True
        heard = (self._given - queued) * self.format.rate_hz // self._device_hz
        return max(0, self._taken - heard)

    def drop(self) -> None:
        """Discard queued frames. Raises SinkError."""
        self._device.drop()
        self._resampler.restart()
        self._reset()

    def close(self) -> None:
        """Release the device."""
        self._device.close()

    def _reset(self) -> None:
        self._dry = self._flushed = False
        self._taken = self._given = 0
        self._waiting = _NOTHING

    def _feed(self, pcm: Pcm) -> int:
        """Write to the device, after frames it did not accept before. Returns its frames that are not heard yet."""
        self._given += len(pcm)
        waiting = np.concatenate((self._waiting, pcm)) if len(self._waiting) else pcm
        self._waiting = waiting[self._device.write(waiting) :] if len(waiting) else _NOTHING
        return len(self._waiting) + self._device.delay_frames()
