"""Framing: PCM chunks of any size are regrouped into steps of a fixed size."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mien.motion.base import MotionFrames, Pcm

Step = Callable[[NDArray[np.int16], NDArray[np.float32]], None]


class StepStream:
    """Collects PCM into steps, calls `step` for each, and tracks how many frames are due.

    This makes the frames independent of the chunking. step(pcm, out): reads int16 (step_samples,), writes float32
    (frames_per_step, width). delay_frames: the first frames that step writes belong to times before the turn and are
    dropped; flush() pushes silence to obtain the last ones.
    """

    def __init__(self, step: Step, *, step_samples: int, frames_per_step: int, delay_frames: int, width: int) -> None:
        self._step = step
        self._hop = step_samples // frames_per_step
        self._frames_per_step = frames_per_step
        self._delay_frames = delay_frames
        self._pending = np.zeros(step_samples, dtype=np.int16)
        self._frames = np.zeros((64, width), dtype=np.float32)
        self.reset()

    def reset(self) -> None:
        """Discard the turn."""
        self._filled = 0
        self._pushed = 0
        self._skip = self._delay_frames
        self._returned = 0

    def push(self, pcm: Pcm) -> MotionFrames:
        """Feed int16 (N,). Returns the frames that became final, in a view that the next call overwrites."""
        self._pushed += len(pcm)
        frames = self._run(pcm)
        self._returned += len(frames)
        return frames

    def flush(self) -> MotionFrames:
        """The frames still due, computed with silence after the last sample. Call reset before the next turn."""
        due = -(-self._pushed // self._hop) - self._returned
        if due <= 0:
            return self._frames[:0]
        steps = -(-(due + self._skip) // self._frames_per_step)
        silence = np.zeros(steps * len(self._pending) - self._filled, dtype=np.int16)
        return self._run(silence)[:due]

    def _run(self, pcm: Pcm) -> MotionFrames:
        size = len(self._pending)
        steps = (self._filled + len(pcm)) // size
        self._reserve(steps * self._frames_per_step)
        taken = 0
        for index in range(steps):
            head = size - self._filled
            self._pending[self._filled :] = pcm[taken : taken + head]
            taken, self._filled = taken + head, 0
            first = index * self._frames_per_step
            self._step(self._pending, self._frames[first : first + self._frames_per_step])
        rest = len(pcm) - taken
        self._pending[self._filled : self._filled + rest] = pcm[taken:]
        self._filled += rest
        made = steps * self._frames_per_step
        skipped = min(self._skip, made)
        self._skip -= skipped
        return self._frames[skipped:made]

    def _reserve(self, count: int) -> None:
        if count > len(self._frames):
            self._frames = np.zeros((count, self._frames.shape[1]), dtype=np.float32)
