"""The level of the speech that is written to the device."""

import math

import numpy as np

from mien.audio.base import Pcm

SILENCE_DBFS = -100.0
_FULL_SCALE = 32768.0


class LevelMeter:
    """Accumulates blocks, int16 (N,), between readings. Off until an observer subscribes."""

    def __init__(self) -> None:
        self.on = False
        self._energy = 0.0
        self._frames = 0
        self._peak = 0

    def add(self, pcm: Pcm) -> None:
        """Add a block."""
        if not self.on or not len(pcm):
            return
        wide = pcm.astype(np.float32)
        self._energy += float(np.dot(wide, wide))
        self._frames += len(pcm)
        self._peak = max(self._peak, int(np.abs(wide).max()))

    def read(self) -> tuple[float, float]:
        """(rms, peak) since the last reading in dBFS; SILENCE_DBFS without speech."""
        rms = math.sqrt(self._energy / self._frames) if self._frames else 0.0
        peak, self._energy, self._frames, self._peak = self._peak, 0.0, 0, 0
        return _dbfs(rms), _dbfs(peak)


def _dbfs(level: float) -> float:
    return round(max(SILENCE_DBFS, 20 * math.log10(level / _FULL_SCALE)), 1) if level else SILENCE_DBFS
