"""A sink that records to a WAV file what a speaker would have played."""

import contextlib
from pathlib import Path
from typing import Final

from mien.audio.base import Pcm
from mien.audio.null import NullSink
from mien.audio.wavfile import WavWriter
from mien.core.clock import Clock
from mien.errors import SinkError
from mien.units import NS_PER_S, ns_to_frames

HEADER_EVERY_NS: Final = NS_PER_S


class WavSink(NullSink):
    """A NullSink that records everything heard since the first write.

    opened_ns: time of the first write; 0 before it. Frame n of the file was heard at opened_ns + n / rate_hz: underruns
    are silence, and frames discarded by drop() or close() are not in the file. The file can be read while it grows; its
    header lags by about a second.
    """

    def __init__(self, clock: Clock, rate_hz: int, buffer_frames: int, path: Path) -> None:
        """Raises SinkError if the file cannot be created."""
        super().__init__(clock, rate_hz, buffer_frames)
        self.opened_ns = 0
        self._writer = WavWriter(path, rate_hz)
        self._beside = opened_path(path)
        self._opened = False
        self._repair_at_ns = 0

    def write(self, pcm: Pcm) -> int:
        """As NullSink. Also raises SinkError on file errors."""
        taken = super().write(pcm)
        if taken:
            try:
                self._writer.append(pcm[:taken])
            except SinkError:
                self._run_frames -= taken  # not in the file, so close() must not truncate the file by them
                raise
            self._repair_if_due()
        return taken

    def drop(self) -> None:
        """Discard queued frames, also from the file. Raises SinkError."""
        queued = self.delay_frames()
        super().drop()
        self._writer.resize(self._writer.frames - queued)

    def close(self) -> None:
        """Close the file after the last frame heard; file errors are ignored."""
        if self._closed:
            return
        for step in (self.drop, super().close, self._writer.close):
            with contextlib.suppress(SinkError):  # a full disk was reported when write() failed
                step()

    def _begin_run(self, now_ns: int) -> None:
        super()._begin_run(now_ns)
        if not self._opened:
            self._opened, self.opened_ns = True, now_ns
            try:
                self._beside.write_text(f"{now_ns}\n", encoding="ascii")
            except OSError as error:
                raise SinkError(f"{self._beside}: cannot be written ({error.strerror})") from None
        self._writer.resize(ns_to_frames(now_ns - self.opened_ns, self.format.rate_hz))

    def _repair_if_due(self) -> None:
        now_ns = self._clock.now_ns()
        if now_ns >= self._repair_at_ns:
            self._repair_at_ns = now_ns + HEADER_EVERY_NS
            self._writer.repair_header()


def opened_path(path: Path) -> Path:
    """The text file next to a WAV with the time at which its first frame was heard, CLOCK_MONOTONIC in ns."""
    return path.with_name(f"{path.name}.opened_ns")
