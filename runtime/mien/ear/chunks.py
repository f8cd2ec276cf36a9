"""Chunks of the size that the voice detector takes, cut out of 20 ms blocks."""

from dataclasses import dataclass
from math import log10
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mien.audio.base import Pcm
from mien.core.ear_bus import EAR_BLOCK_FRAMES, EAR_RATE_HZ
from mien.units import NS_PER_S, frames_to_ns

CHUNK_FRAMES: Final = 512
"""32 ms, which the voice detector's model requires."""

SUBS: Final = 4
SUB_FRAMES: Final = CHUNK_FRAMES // SUBS
SUB_NS: Final = SUB_FRAMES * NS_PER_S // EAR_RATE_HZ
"""8 ms: how finely levels are looked at."""

CHUNK_S: Final = CHUNK_FRAMES / EAR_RATE_HZ
SILENCE_DB: Final = -100.0
FULL_SCALE: Final = 32768.0
_SCALE: Final = np.float32(1 / FULL_SCALE)

FramesF32: TypeAlias = NDArray[np.float32]


@dataclass(slots=True)
class Chunk:
    """32 ms of sound at the microphone. at_ns: when its first frame reached it.

    near, far: float32 (512,), full scale 1, near without its mean; both valid until the next block. near_power,
    far_power: theirs, relative to full scale. raw_power, clean_power: of the microphone before and after cancellation,
    in step with each other, and a few ms earlier than near.
    """

    at_ns: int
    near: FramesF32
    far: FramesF32
    near_power: float
    far_power: float
    raw_power: float
    clean_power: float

    @property
    def end_ns(self) -> int:
        """When its last frame ended."""
        return self.at_ns + SUBS * SUB_NS


class Chunker:
    """Collects three signals: cleaned, raw, far end. latency: frames by which the cleaned one is late."""

    def __init__(self, latency: int) -> None:
        self._latency = latency
        self._held = np.zeros((3, CHUNK_FRAMES + EAR_BLOCK_FRAMES + latency), np.float32)
        self._count = 0

    def add(self, clean: Pcm, raw: Pcm, far: Pcm, at_ns: int) -> Chunk | None:
        """Add a block of each, int16 (EAR_BLOCK_FRAMES,); at_ns: of the raw one. Returns the chunk that is full."""
        at, held, latency = self._count, self._held, self._latency
        until = at + EAR_BLOCK_FRAMES
        held[0, at:until] = clean  # scaled a chunk at a time: a multiplication of int16 is converted piece by piece
        held[1, at + latency : until + latency] = raw
        held[2, at + latency : until + latency] = far
        self._count = until
        if until < CHUNK_FRAMES:
            return None
        chunk = self._chunk(at_ns - frames_to_ns(at, EAR_RATE_HZ))
        self._count = until - CHUNK_FRAMES
        left = self._count + latency
        held[:, :left] = held[:, CHUNK_FRAMES : CHUNK_FRAMES + left].copy()
        return chunk

    def clear(self) -> None:
        """The next block does not follow."""
        self._count = 0

    def _chunk(self, at_ns: int) -> Chunk:
        now = slice(self._latency, self._latency + CHUNK_FRAMES)
        clean, raw = self._held[:2, :CHUNK_FRAMES] * _SCALE
        near, far = self._held[1:, now] * _SCALE
        near -= np.add.reduce(near) / np.float32(CHUNK_FRAMES)
        return Chunk(at_ns, near, far, power(near), power(far), power(raw), power(clean))


def sub_levels_db(sound: FramesF32) -> tuple[float, ...]:
    """The levels of a chunk's four parts of 8 ms, in dBFS."""
    parts = sound.reshape(SUBS, SUB_FRAMES)
    return tuple(decibels(each) for each in (np.einsum("ij,ij->i", parts, parts) / SUB_FRAMES).tolist())


def power(sound: FramesF32) -> float:
    """The mean square."""
    return float(sound @ sound) / len(sound)


def decibels(power: float) -> float:
    """Of a power relative to full scale, at least SILENCE_DB."""
    return max(SILENCE_DB, 10 * log10(power)) if power > 0 else SILENCE_DB
