"""The ear's figures: levels, echo removed, alignment."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mien.audio.base import Pcm
from mien.ear.chunks import FULL_SCALE, SILENCE_DB, decibels

WINDOW_BLOCKS: Final = 50
"""1 s."""

FAR_ACTIVE_DB: Final = -50.0


@dataclass(slots=True)
class Figures:
    """Of the last second, unless said otherwise. Levels in dBFS, -100 for silence.

    erle_db: how much of the echo was removed over the last second of far-end speech. delay_ms: as aligned. drift_ppm:
    of the speaker's card against the microphone's. far_age_ms: how long ago the newest frame of the far end was heard,
    negative while it is ahead. Since the start: far_streams, far_lost_frames, far_missing_frames (they came too late),
    far_jumps of the alignment, gaps in the captured sound.
    """

    level_dbfs: float = SILENCE_DB
    clean_dbfs: float = SILENCE_DB
    far_dbfs: float = SILENCE_DB
    peak: float = 0.0
    speech_probability: float = 0.0
    erle_db: float | None = None
    delay_ms: float | None = None
    drift_ppm: float | None = None
    far_age_ms: float | None = None
    far_streams: int = 0
    far_lost_frames: int = 0
    far_missing_frames: int = 0
    far_jumps: int = 0
    gaps: int = 0


class Levels:
    """Powers of the last second."""

    def __init__(self) -> None:
        self._powers = np.zeros((4, WINDOW_BLOCKS))  # raw, cleaned, far end; peak
        self._echo = np.zeros((2, WINDOW_BLOCKS))  # raw and cleaned, while only the kiosk speaks
        self._at = 0
        self._echo_blocks = 0

    def block(self, raw: Pcm, clean: Pcm, far: Pcm, *, speech: bool) -> None:
        """Add a block of each, in step. speech: the customer speaks, so it says nothing about the echo."""
        powers = [_power(raw), _power(clean), _power(far)]
        at = self._at % WINDOW_BLOCKS
        self._powers[:3, at] = powers
        self._powers[3, at] = np.abs(raw.astype(np.int32)).max()
        self._at += 1
        if decibels(powers[2]) > FAR_ACTIVE_DB and not speech:
            self._echo[:, self._echo_blocks % WINDOW_BLOCKS] = powers[:2]
            self._echo_blocks += 1

    def update(self, figures: Figures) -> None:
        """Write the levels into the figures."""
        count = min(self._at, WINDOW_BLOCKS)
        if not count:
            return
        raw, clean, far = self._powers[:3, :count].mean(axis=1).tolist()
        figures.level_dbfs, figures.clean_dbfs, figures.far_dbfs = decibels(raw), decibels(clean), decibels(far)
        figures.peak = float(self._powers[3, :count].max()) / FULL_SCALE
        if self._echo_blocks >= WINDOW_BLOCKS:
            before, after = self._echo.sum(axis=1).tolist()
            figures.erle_db = round(decibels(before) - decibels(after), 1)


def _power(pcm: Pcm) -> float:
    values = pcm.astype(np.float32)
    return float(values @ values) / (len(pcm) * FULL_SCALE**2)
