"""The contract of a sound sink.

A sink accepts mono int16 frames without blocking and reports how many of them have not been heard yet. Everything else
(turns, clock, fades, filler) belongs to playback. tests/contracts/test_sink.py runs the contract over every backend:

- write() accepts at most the free space and returns the number of frames accepted. It never blocks and keeps no
  reference.
- delay_frames() never exceeds what was written, falls at rate_hz while frames are queued, and ends at 0.
- After an underrun a sink resumes with the next write, and counts it in `underruns`.
- drop() discards queued frames; the next write is heard as soon as possible.
- close() may be called twice. Every other method raises SinkError if the device is gone.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Pcm: TypeAlias = NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkFormat:
    """The device's format, mono s16. rate_hz: frames per second. buffer_frames: capacity of its buffer."""

    rate_hz: int
    buffer_frames: int


class Sink(Protocol):
    """A device that plays mono int16."""

    format: SinkFormat
    underruns: int

    def write(self, pcm: Pcm) -> int:
        """Queue frames, int16 (N,). Returns how many were accepted, 0..N. Raises SinkError."""
        ...

    def delay_frames(self) -> int:
        """Accepted frames that have not been heard yet. Raises SinkError."""
        ...

    def drop(self) -> None:
        """Discard queued frames. Raises SinkError."""
        ...

    def close(self) -> None:
        """Release the device."""
        ...
