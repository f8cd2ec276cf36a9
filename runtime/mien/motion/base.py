"""The contract of a motion engine: PCM in, pose frames out, as a stream.

Frame k of a turn is the pose shown k / frame_hz seconds after the first sample of that turn. Contract, held by
tests/contracts/test_motion.py over every backend:

- The frames that push() and flush() return for a turn do not depend on how its samples were cut into chunks.
- After S samples have been pushed and flush() was called, exactly ceil(S * frame_hz / rate_hz) frames were returned.
- Without flush(), frame k is returned at the latest when lookahead_ms more audio than its own time has been pushed.
- Values are finite; blend shapes are in 0..1, head angles within +-0.5 rad. Digital silence gives a still face.
"""

from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Pcm: TypeAlias = NDArray[np.int16]
MotionFrames: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionInfo:
    """What an engine is. rate_hz: of the PCM it takes. frame_hz: of the frames it gives.

    lookahead_ms: how much audio after a frame's time it needs, features included. backend: "tflite", "envelope", ...
    """

    backend: str
    rate_hz: int
    frame_hz: int
    lookahead_ms: float


class MotionEngine(Protocol):
    """Streaming speech to motion. Not safe for use from two threads."""

    info: MotionInfo

    def push(self, pcm: Pcm) -> MotionFrames:
        """Feed mono int16 (N,), any N. Returns the frames that became final, float32 (n, 55), n >= 0.

        Columns: the 52 ARKIT_SHAPES, then the three HEAD_CHANNELS. The array may be a view that the next call
        overwrites.
        """
        ...

    def flush(self) -> MotionFrames:
        """End the turn as if silence followed: the frames still owed, float32 (n, 55). Leaves the engine reset."""
        ...

    def reset(self) -> None:
        """Forget the turn: the next push starts a new one."""
        ...
