"""A sink without a device: an ideal one that consumes frames at exactly its rate."""

from mien.audio.base import Pcm, SinkFormat
from mien.core.clock import Clock
from mien.errors import SinkError
from mien.units import ns_to_frames


class NullSink:
    """Frames count as heard at rate_hz, starting with the first write to an empty queue.

    After an underrun it stands still until the next write. Integer arithmetic on the clock: no drift, no thread.
    """

    def __init__(self, clock: Clock, rate_hz: int, buffer_frames: int) -> None:
        self.format = SinkFormat(rate_hz=rate_hz, buffer_frames=buffer_frames)
        self.underruns = 0
        self._clock = clock
        self._closed = False
        self._run_from_ns = 0
        self._run_frames = 0

    def write(self, pcm: Pcm) -> int:
        """Queue frames, int16 (N,). Returns how many were accepted, 0..N. Raises SinkError after close()."""
        now_ns = self._now_ns()
        queued = self._queued(now_ns)
        taken = min(len(pcm), self.format.buffer_frames - queued)
        if taken and not queued:
            self._begin_run(now_ns)
        self._run_frames += taken
        return taken

    def delay_frames(self) -> int:
        """Accepted frames that have not been heard yet. Raises SinkError after close()."""
        return self._queued(self._now_ns())

    def drop(self) -> None:
        """Discard queued frames. Raises SinkError after close()."""
        self._now_ns()
        self._run_frames = 0

    def close(self) -> None:
        """Refuse further use, discarding queued frames."""
        self._closed = True

    def _begin_run(self, now_ns: int) -> None:
        # drop() leaves a run without frames, so only a run that was heard to its end is an underrun.
        if self._run_frames:
            self.underruns += 1
        self._run_from_ns = now_ns
        self._run_frames = 0

    def _queued(self, now_ns: int) -> int:
        heard = ns_to_frames(now_ns - self._run_from_ns, self.format.rate_hz)
        return max(0, self._run_frames - heard)

    def _now_ns(self) -> int:
        if self._closed:
            raise SinkError("the sink is closed")
        return self._clock.now_ns()
