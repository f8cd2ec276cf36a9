"""The contract of a motion engine: a stream of PCM in, a stream of pose frames out.

Frame k of a turn is the pose shown k / frame_hz seconds after the first sample of that turn. The contract, which
tests/contracts/test_motion.py checks for every backend:

- The frames that push() and flush() return for a turn do not depend on how its samples were split into chunks.
- Once S samples have been pushed and flush() was called, exactly ceil(S * frame_hz / rate_hz) frames were returned.
- Without flush(), frame k is returned no later than when lookahead_ms of audio beyond its own time has been pushed.
- Values are finite; blend shapes are in 0..1, head angles within +-0.5 rad. Digital silence gives a still face.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mien.motion.guidance import GuideReport, SpokenWord

Pcm: TypeAlias = NDArray[np.int16]
MotionFrames: TypeAlias = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionInfo:
    """Properties of an engine. rate_hz: of its input PCM. frame_hz: of its output frames.

    lookahead_ms: how much audio beyond a frame's time it needs, features included. backend: "tflite", "envelope", ...
    interpreter: what runs the model, with its version; empty without one.
    """

    backend: str
    interpreter: str = ""
    rate_hz: int
    frame_hz: int
    lookahead_ms: float


class MotionEngine(Protocol):
    """Streaming speech to motion. Not thread-safe."""

    info: MotionInfo

    @property
    def guided(self) -> GuideReport:
        """What became of the text of the turn that the last flush() or reset() ended."""
        ...

    def push(self, pcm: Pcm) -> MotionFrames:
        """Feed mono int16 (N,), any N. Returns the frames that became final, float32 (n, 55), n >= 0.

        Columns: the 52 ARKIT_SHAPES, then the three HEAD_CHANNELS. The array may be a view that the next call
        overwrites.
        """
        ...

    def flush(self) -> MotionFrames:
        """End the turn as if silence followed. Returns the remaining frames, float32 (n, 55), and resets the engine."""
        ...

    def guide(self, words: Sequence[SpokenWord]) -> None:
        """Add to what this turn says, before, while or after its sound is pushed. reset() and flush() discard it.

        It changes no frame that was returned before. An engine without a use for it ignores it.
        """
        ...

    def reset(self) -> None:
        """Discard the turn. The next push starts a new one."""
        ...
