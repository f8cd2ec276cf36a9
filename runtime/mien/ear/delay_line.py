"""A delay of a few frames, so that signals are in step."""

import numpy as np

from mien.audio.base import Pcm


class DelayLine:
    """Gives each block `frames` frames late."""

    def __init__(self, frames: int) -> None:
        self._frames = frames
        self._before = np.zeros(frames, np.int16)

    def push(self, block: Pcm) -> Pcm:
        """Add a block, int16 (N,) of at least `frames`. Returns one of the same length."""
        if not self._frames:
            return block
        together = np.concatenate((self._before, block))
        self._before = together[-self._frames :]
        return together[: -self._frames]
