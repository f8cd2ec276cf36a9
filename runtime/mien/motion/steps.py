"""From any chunks to fixed steps: what makes an engine's frames independent of how its samples were cut."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mien.motion.base import MotionFrames, Pcm

Step = Callable[[NDArray[np.int16], NDArray[np.float32]], None]


class StepStream:
    """Gathers PCM into steps, runs `step` on each, and counts the frames that are owed.

    step(pcm, out): int16 (step_samples,) in, float32 (frames_per_step, width) written. delay_frames: the first frames
    that step gives belong to times before the turn and are dropped; the last ones come from silence at flush.
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
        """Forget the turn."""
        self._filled = 0
        self._pushed = 0
        self._skip = self._delay_frames
        self._returned = 0

    def push(self, pcm: Pcm) -> MotionFrames:
        """int16 (N,) in, the frames that became final out: a view that the next call overwrites."""
        self._pushed += len(pcm)
        frames = self._run(pcm)
        self._returned += len(frames)
        return frames

    def flush(self) -> MotionFrames:
        """The frames still owed, with silence after the last sample. Call reset before the next turn."""
        owed = -(-self._pushed // self._hop) - self._returned
        if owed <= 0:
            return self._frames[:0]
        steps = -(-(owed + self._skip) // self._frames_per_step)
        silence = np.zeros(steps * len(self._pending) - self._filled, dtype=np.int16)
        return self._run(silence)[:owed]

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
