"""The ear's figures: levels, echo removed, alignment."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from mien.ear.chunks import FULL_SCALE, SILENCE_DB, Chunk, decibels

WINDOW_CHUNKS: Final = 31
"""1 s."""

FAR_ACTIVE: Final = 1e-5
"""-50 dBFS."""


@dataclass(slots=True)
class Figures:
    """What the ear measures. Levels in dBFS over the last second, -100 for silence.

    peak: of the raw microphone over the last second, 0..1. erle_db: how much of the echo was removed over the last
    second of far-end speech; None without any. delay_ms: by which the echo follows what is heard at the speaker, as
    configured or, once there was an echo, as measured. drift_ppm: of the speaker's card against the microphone's.
    far_age_ms: how long ago the newest frame of the far end was heard, negative while it is ahead. Counts since the
    start: far_streams, far_lost_frames, far_missing_frames (they came too late), far_jumps of the alignment, gaps.
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
        self._powers = np.zeros((3, WINDOW_CHUNKS))  # raw, cleaned, far end
        self._echo = np.zeros((2, WINDOW_CHUNKS))  # raw and cleaned, while only the kiosk speaks
        self._peaks = np.zeros(WINDOW_CHUNKS)
        self._at = self._echo_chunks = 0

    def add(self, chunk: Chunk, peak: int, *, speech: bool) -> None:
        """Add a chunk. speech: the customer speaks, so it says nothing about the echo."""
        at = self._at % WINDOW_CHUNKS
        self._powers[:, at] = chunk.raw_power, chunk.clean_power, chunk.far_power
        self._peaks[at] = peak
        self._at += 1
        if chunk.far_power > FAR_ACTIVE and not speech:
            self._echo[:, self._echo_chunks % WINDOW_CHUNKS] = chunk.raw_power, chunk.clean_power
            self._echo_chunks += 1

    def update(self, figures: Figures) -> None:
        """Write the levels into the figures."""
        count = min(self._at, WINDOW_CHUNKS)
        if not count:
            return
        raw, clean, far = self._powers[:, :count].mean(axis=1).tolist()
        figures.level_dbfs, figures.clean_dbfs, figures.far_dbfs = (
            round(decibels(power), 1) for power in (raw, clean, far)
        )
        figures.peak = round(float(self._peaks[:count].max()) / FULL_SCALE, 4)
        if self._echo_chunks >= WINDOW_CHUNKS:
            before, after = self._echo.sum(axis=1).tolist()
            figures.erle_db = round(decibels(before) - decibels(after), 1)
