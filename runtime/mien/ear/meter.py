"""Sound levels over a stretch of time, in dBFS."""

from math import log10
from typing import Final

import numpy as np

from mien.capture.base import Pcm

SILENCE_DBFS: Final = -100.0
_FULL_SCALE: Final = 32768.0


class Meter:
    """RMS and peak of everything added since the last reset()."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin again."""
        self._energy = 0.0
        self._frames = 0
        self._peak = 0

    def add(self, pcm: Pcm) -> None:
        """Add int16 (N,)."""
        if len(pcm):
            sound = pcm.astype(np.float32)
            self._energy += float(sound @ sound)
            self._frames += len(pcm)
            self._peak = max(self._peak, abs(int(pcm.min())), int(pcm.max()))

    def merge(self, other: "Meter") -> None:
        """Add what another one has."""
        self._energy += other._energy
        self._frames += other._frames
        self._peak = max(self._peak, other._peak)

    @property
    def rms_dbfs(self) -> float:
        """SILENCE_DBFS for silence, or for nothing."""
        return dbfs((self._energy / self._frames) ** 0.5) if self._frames else SILENCE_DBFS

    @property
    def peak_dbfs(self) -> float:
        """SILENCE_DBFS for silence, or for nothing."""
        return dbfs(self._peak)


def dbfs(amplitude: float) -> float:
    """An amplitude of int16 in dB below full scale, at least SILENCE_DBFS."""
    return max(SILENCE_DBFS, 20 * log10(amplitude / _FULL_SCALE)) if amplitude > 0 else SILENCE_DBFS
