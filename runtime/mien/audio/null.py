"""The ideal device: it plays what it was given at exactly its rate, and nobody hears it."""

from mien.audio.base import Pcm, SinkFormat
from mien.core.clock import Clock
from mien.errors import SinkError
from mien.units import ns_to_frames


class NullSink:
    """Frames are heard at rate_hz from the moment of the first write after it was empty.

    Run dry, it stands still until the next write. All of it is integer arithmetic on the clock: no drift, no thread.
    """

    def __init__(self, clock: Clock, rate_hz: int, buffer_frames: int) -> None:
        self.format = SinkFormat(rate_hz=rate_hz, buffer_frames=buffer_frames)
        self.underruns = 0
        self._clock = clock
        self._closed = False
        self._run_from_ns = 0
        self._run_frames = 0

    def write(self, pcm: Pcm) -> int:
        """Queue frames, int16 (N,). Returns how many were taken, 0..N. Raises SinkError when it was closed."""
        now_ns = self._now_ns()
        queued = self._queued(now_ns)
        taken = min(len(pcm), self.format.buffer_frames - queued)
        if taken and not queued:
            self._begin_run(now_ns)
        self._run_frames += taken
        return taken

    def delay_frames(self) -> int:
        """Frames that were taken and are not yet heard. Raises SinkError when it was closed."""
        return self._queued(self._now_ns())

    def drop(self) -> None:
        """Forget what is queued. Raises SinkError when it was closed."""
        self._now_ns()
        self._run_frames = 0

    def close(self) -> None:
        """No more after this; what is queued is not heard."""
        self._closed = True

    def _begin_run(self, now_ns: int) -> None:
        # A run that drop() ended has no frames left: only one that was heard to its end ran dry.
        if self._run_frames:
            self.underruns += 1
        self._run_from_ns = now_ns
        self._run_frames = 0

    def _queued(self, now_ns: int) -> int:
        heard = ns_to_frames(now_ns - self._run_from_ns, self.format.rate_hz)
        return max(0, self._run_frames - heard)

    def _now_ns(self) -> int:
        if self._closed:
            raise SinkError("the sink was closed")
        return self._clock.now_ns()
