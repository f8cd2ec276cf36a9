"""A sink that writes down what a speaker would have given."""

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
    """The ideal device, and a WAV file of what it played since the first write.

    opened_ns: the moment of the first write; 0 before it. Frame n of the file was heard at opened_ns + n / rate_hz:
    where the sink ran dry there is silence, and what drop() or close() took back is not in it. The file can be read
    while it grows: its header is about a second behind.
    """

    def __init__(self, clock: Clock, rate_hz: int, buffer_frames: int, path: Path) -> None:
        """Raises SinkError when the file cannot be made."""
        super().__init__(clock, rate_hz, buffer_frames)
        self.opened_ns = 0
        self._writer = WavWriter(path, rate_hz)
        self._beside = opened_path(path)
        self._opened = False
        self._repair_at_ns = 0

    def write(self, pcm: Pcm) -> int:
        """As NullSink. Raises SinkError also when the file system refuses."""
        taken = super().write(pcm)
        if taken:
            try:
                self._writer.append(pcm[:taken])
            except SinkError:
                self._run_frames -= taken  # not in the file: close() must not cut it off what is
                raise
            self._repair_now_and_then()
        return taken

    def drop(self) -> None:
        """Forget what is queued, in the file too. Raises SinkError."""
        queued = self.delay_frames()
        super().drop()
        self._writer.resize(self._writer.frames - queued)

    def close(self) -> None:
        """Leave a valid file that ends with what was heard last, as far as the file system lets us."""
        if self._closed:
            return
        for give_back in (self.drop, super().close, self._writer.close):
            with contextlib.suppress(SinkError):  # a full disk: whoever lost the sink to it closes it without a word
                give_back()

    def _begin_run(self, now_ns: int) -> None:
        super()._begin_run(now_ns)
        if not self._opened:
            self._opened, self.opened_ns = True, now_ns
            self._beside.write_text(f"{now_ns}\n", encoding="ascii")
        self._writer.resize(ns_to_frames(now_ns - self.opened_ns, self.format.rate_hz))

    def _repair_now_and_then(self) -> None:
        now_ns = self._clock.now_ns()
        if now_ns >= self._repair_at_ns:
            self._repair_at_ns = now_ns + HEADER_EVERY_NS
            self._writer.repair_header()


def opened_path(path: Path) -> Path:
    """The file beside a WAV that holds when its first frame was heard: CLOCK_MONOTONIC in ns, as text."""
    return path.with_name(f"{path.name}.opened_ns")
