"""The contract of a sound sink.

A sink takes mono int16 frames without ever blocking and says how much of what it took is still to be heard. All else
(turns, clock, fades, filler) is the playback's. Contract, held by tests/contracts/test_sink.py over every backend:

- write() takes at most the free room and returns how many frames it took; it never blocks and never keeps a reference.
- delay_frames() never exceeds what was written, falls at rate_hz while frames are queued, and is 0 when all was heard.
- A sink that ran dry goes on with the next write by itself, and counts it in `underruns`.
- drop() forgets what is queued; the next write is heard as soon as the device can.
- close() may be called twice. Every other method raises SinkError when the device is gone.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Pcm: TypeAlias = NDArray[np.int16]


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkFormat:
    """What the device agreed to. rate_hz: frames a second, mono s16. buffer_frames: the most it holds."""

    rate_hz: int
    buffer_frames: int


class Sink(Protocol):
    """A device that plays mono int16."""

    format: SinkFormat
    underruns: int

    def write(self, pcm: Pcm) -> int:
        """Queue frames, int16 (N,). Returns how many were taken, 0..N. Raises SinkError."""
        ...

    def delay_frames(self) -> int:
        """Frames that were taken and are not yet heard. Raises SinkError."""
        ...

    def drop(self) -> None:
        """Forget what is queued. Raises SinkError."""
        ...

    def close(self) -> None:
        """Give the device back."""
        ...
