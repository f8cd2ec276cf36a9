"""The contract of a capture device.

A capture device delivers interleaved int16 frames without blocking, and says how far it is. Everything else (clock
regression, channel choice, resampling) belongs to the ear. tests/contracts/test_capture.py runs the contract over every
backend:

- read() returns what was captured since the last call, at most MAX_READ_MS at a time, and never waits.
- reading() relates the device to CLOCK_MONOTONIC: the frame with number `frames` reaches the microphone at at_ns. Frame
  0 is the first that read() returned; frames that were lost have no number.
- A device that was not read in time loses sound and continues. `overruns` counts that no later than the read() that
  returns the first frame after the loss, and no read() returns frames of both sides.
- close() may be called twice. Every other method raises CaptureError if the device is gone.
"""

from typing import Final, NamedTuple, Protocol, TypeAlias

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Pcm: TypeAlias = NDArray[np.int16]

MAX_READ_MS: Final = 100


class CaptureFormat(Struct, frozen=True, kw_only=True):
    """What the device delivers, interleaved s16. rate_hz: frames per second. channels: samples in a frame."""

    rate_hz: int
    channels: int


class Reading(NamedTuple):
    """The device's position: frame number `frames` reaches the microphone at at_ns, CLOCK_MONOTONIC."""

    at_ns: int
    frames: int


class Capture(Protocol):
    """A device that captures int16."""

    format: CaptureFormat
    overruns: int

    def read(self) -> Pcm:
        """The next frames, int16 (N, channels), N >= 0. Raises CaptureError."""
        ...

    def reading(self) -> Reading:
        """How far the device is now. Raises CaptureError."""
        ...

    def close(self) -> None:
        """Release the device."""
        ...
