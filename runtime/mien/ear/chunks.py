"""Chunks of the size that the voice detector takes, cut out of 20 ms blocks."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log10
from typing import Final

import numpy as np

from mien.audio.base import Pcm
from mien.core.ear_bus import EAR_BLOCK_FRAMES, EAR_RATE_HZ
from mien.ear.vad import CHUNK_FRAMES
from mien.units import NS_PER_S

SUBS: Final = 4
SUB_FRAMES: Final = CHUNK_FRAMES // SUBS
SUB_NS: Final = SUB_FRAMES * NS_PER_S // EAR_RATE_HZ
"""8 ms: how finely levels are looked at."""

SILENCE_DB: Final = -100.0
FULL_SCALE: Final = 32768.0


@dataclass(frozen=True, slots=True)
class Chunk:
    """32 ms of sound. Levels in dBFS: of four parts of the cleaned sound, of the whole raw and far-end sound."""

    pcm: Pcm
    at_ns: int
    clean_db: tuple[float, ...]
    raw_db: float
    far_db: float
    seconds: float = CHUNK_FRAMES / EAR_RATE_HZ

    @property
    def end_ns(self) -> int:
        """When its last frame ended."""
        return self.at_ns + SUBS * SUB_NS

    @property
    def level_db(self) -> float:
        """Of the whole cleaned chunk."""
        return 10 * log10(sum(10 ** (level / 10) for level in self.clean_db) / SUBS)


class Chunker:
    """Collects three signals in step: cleaned, raw, far end."""

    def __init__(self) -> None:
        self._held = np.zeros((3, CHUNK_FRAMES + EAR_BLOCK_FRAMES), np.int16)
        self._count = 0

    def add(self, clean: Pcm, raw: Pcm, far: Pcm, at_ns: int) -> Iterator[Chunk]:
        """Add a block of each, int16 (EAR_BLOCK_FRAMES,). Yields at most one chunk, valid until the next call."""
        at = self._count
        until = at + EAR_BLOCK_FRAMES
        self._held[0, at:until] = clean
        self._held[1, at:until] = raw
        self._held[2, at:until] = far
        self._count = until
        if until < CHUNK_FRAMES:
            return
        yield self._chunk(at_ns - at * NS_PER_S // EAR_RATE_HZ)
        self._count = until - CHUNK_FRAMES
        self._held[:, : self._count] = self._held[:, CHUNK_FRAMES:until]

    def clear(self) -> None:
        """The next block does not follow."""
        self._count = 0

    def _chunk(self, at_ns: int) -> Chunk:
        values = self._held[:, :CHUNK_FRAMES].astype(np.float32).reshape(3, SUBS, SUB_FRAMES)
        powers = np.einsum("ijk,ijk->ij", values, values) / (SUB_FRAMES * FULL_SCALE**2)
        clean, raw, far = powers.tolist()
        return Chunk(
            self._held[0, :CHUNK_FRAMES],
            at_ns,
            tuple(map(decibels, clean)),
            decibels(sum(raw) / SUBS),
            decibels(sum(far) / SUBS),
        )


def decibels(power: float) -> float:
    """Of a power relative to full scale, at least SILENCE_DB."""
    return max(SILENCE_DB, 10 * log10(power)) if power > 0 else SILENCE_DB
