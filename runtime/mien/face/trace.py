"""Records what was shown at what time, for benchmarks, `mien record`, the demo."""

from pathlib import Path

import numpy as np

from mien.core.pose import CHANNEL_COUNT, Pose


class Trace:
    """One row per frame in preallocated arrays; frames beyond the capacity are counted in `dropped`.

    visible_ns: when the frame was seen, CLOCK_MONOTONIC. media_ns: what it showed; -1 for no speech.
    """

    def __init__(self, capacity: int) -> None:
        self._visible_ns = np.zeros(capacity, dtype=np.int64)
        self._media_ns = np.zeros(capacity, dtype=np.int64)
        self._epoch = np.zeros(capacity, dtype=np.int64)
        self._poses = np.zeros((capacity, CHANNEL_COUNT), dtype=np.float32)
        self._count = 0
        self.dropped = 0

    def add(self, visible_ns: int, media_ns: int, epoch: int, pose: Pose) -> None:
        """Record one frame."""
        if self._count == len(self._visible_ns):
            self.dropped += 1
            return
        row = self._count
        self._visible_ns[row], self._media_ns[row], self._epoch[row] = visible_ns, media_ns, epoch
        self._poses[row] = pose
        self._count += 1

    def save(self, path: Path) -> None:
        """Write an .npz with visible_ns, media_ns, epoch (N,) int64 and poses (N, CHANNEL_COUNT) float32."""
        n = self._count
        with path.open("wb") as file:
            np.savez(
                file,
                visible_ns=self._visible_ns[:n],
                media_ns=self._media_ns[:n],
                epoch=self._epoch[:n],
                poses=self._poses[:n],
            )
