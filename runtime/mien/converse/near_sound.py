"""The customer's sound of the last seconds, with its silences."""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

from mien.converse.events import Quiet, SoundAgain

BLOCK_NS: Final = 20_000_000
BLOCK_BYTES: Final = 640
KEPT_BLOCKS: Final = 1_800
"""36 s: more than the longest question."""

DROP_DB: Final = 22.0
"""Below the loudest of the utterance: quiet. Speech's own level varies by less within a word."""

FLOOR_DBFS: Final = -62.0
FALL_DB: Final = 0.15
"""By which the loudest is forgotten a block: 7.5 dB a second, so that a shout does not hide what follows it."""

SILENT_DBFS: Final = -96.0


class NearSound:
    """Takes blocks of 20 ms. quiet_ms: how long the sound must be quiet to say so."""

    def __init__(self, quiet_ms: int = 120) -> None:
        self._blocks: deque[tuple[int, bytes]] = deque(maxlen=KEPT_BLOCKS)
        self._quiet_blocks = max(1, round(quiet_ms * 1_000_000 / BLOCK_NS))
        self.begin()

    def begin(self) -> None:
        """A new utterance: levels start anew, sound is kept."""
        self._loudest = SILENT_DBFS
        self._last_sound_ns = 0
        self._count = 0
        self._told = False

    def add(self, at_ns: int, data: bytes) -> Quiet | SoundAgain | None:
        """One block of the utterance. Returns what changed by it."""
        self._blocks.append((at_ns, data))
        level = _dbfs(data)
        self._loudest = max(level, self._loudest - FALL_DB)
        if level > max(self._loudest - DROP_DB, FLOOR_DBFS):
            self._count = 0
            self._last_sound_ns = at_ns + BLOCK_NS
            told, self._told = self._told, False
            return SoundAgain() if told else None
        self._count += 1
        if self._count >= self._quiet_blocks and not self._told and self._last_sound_ns:
            self._told = True
            return Quiet(self._last_sound_ns)
        return None

    def between(self, from_ns: int, until_ns: int) -> bytes:
        """The sound between two times; what was not received is silence of the same length."""
        blocks = [(at, data) for at, data in self._blocks if from_ns - BLOCK_NS < at < until_ns]
        sound = bytearray()
        for number, (at, data) in enumerate(blocks):
            if number and (gap := round((at - blocks[number - 1][0]) / BLOCK_NS) - 1) > 0:
                sound += bytes(min(gap, 100) * BLOCK_BYTES)
            sound += data
        return bytes(sound)


def _dbfs(data: bytes) -> float:
    pcm = np.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(np.float32)
    if not len(pcm):
        return SILENT_DBFS
    power = float(np.mean(pcm**2)) / 32768.0**2
    return max(SILENT_DBFS, 10 * float(np.log10(power + 1e-12)))
