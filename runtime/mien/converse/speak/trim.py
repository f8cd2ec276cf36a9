"""Removes the silence around a sentence: synthesisers lead each with 20 to 70 ms of it."""

from __future__ import annotations

from typing import Final

import numpy as np

QUIET: Final = 160  # of 32768
LEAD_MS: Final = 5
TAIL_MS: Final = 60


def trimmed(pcm: bytes, rate_hz: int) -> bytes:
    """Mono s16le with at most LEAD_MS before the first sound, TAIL_MS after the last."""
    sound = np.frombuffer(pcm[: len(pcm) // 2 * 2], "<i2")
    loud = np.flatnonzero(np.abs(sound.astype(np.int32)) > QUIET)
    if not len(loud):
        return b""
    first = max(0, int(loud[0]) - LEAD_MS * rate_hz // 1000)
    return sound[first : int(loud[-1]) + TAIL_MS * rate_hz // 1000].tobytes()
