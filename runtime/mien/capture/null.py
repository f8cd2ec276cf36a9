"""A microphone without a device: an ideal one that captures silence at exactly its rate."""

import numpy as np

from mien.capture.base import MAX_READ_MS, CaptureFormat, Pcm, Reading
from mien.core.clock import Clock
from mien.errors import CaptureError
from mien.units import ms_to_frames, ns_to_frames


class NullCapture:
    """Captures from the moment at which it is opened. Its buffer keeps the newest buffer_ms.

    Integer arithmetic on the clock: no drift, no thread.
    """

    def __init__(self, clock: Clock, rate_hz: int, channels: int, buffer_ms: float) -> None:
        self.format = CaptureFormat(rate_hz=rate_hz, channels=channels)
        self.overruns = 0
        self._clock = clock
        self._closed = False
        self._opened_ns = clock.now_ns()
        self._buffer = ms_to_frames(buffer_ms, rate_hz)
        self._most = ms_to_frames(MAX_READ_MS, rate_hz)
        self._lost = 0
        self._taken = 0

    def read(self) -> Pcm:
        """The next frames, int16 (N, channels). Raises CaptureError after close()."""
        waiting = self._waiting(self._now_ns())
        count = min(waiting, self._most)
        pcm = self._sound(self._lost + self._taken, count)
        self._taken += len(pcm)
        return pcm

    def reading(self) -> Reading:
        """How far it is now. Raises CaptureError after close()."""
        now_ns = self._now_ns()
        return Reading(now_ns, self._taken + self._waiting(now_ns))

    def close(self) -> None:
        """Refuse further use."""
        self._closed = True

    def _sound(self, first: int, count: int) -> Pcm:
        """Frames first .. first + count - 1 since it was opened. Fewer: the rest can be read later."""
        return np.zeros((count, self.format.channels), np.int16)

    def _waiting(self, now_ns: int) -> int:
        """Frames in the buffer; what does not fit is lost first."""
        captured = ns_to_frames(now_ns - self._opened_ns, self.format.rate_hz) - self._lost - self._taken
        if captured > self._buffer:
            self._lost += captured - self._buffer
            self.overruns += 1
            return self._buffer
        return captured

    def _now_ns(self) -> int:
        if self._closed:
            raise CaptureError("the microphone is closed")
        return self._clock.now_ns()
