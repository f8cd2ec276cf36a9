"""Stretches of speech within the far end, encoded for those who hear them."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from mien.audio.opus import OpusEncoder
from mien.core.ear_bus import EAR_BLOCK_FRAMES, EAR_RATE_HZ, FarEnd

TAIL_BLOCKS: Final = 5  # of silence that end a stretch: a shorter pause is part of it, and the codec's delay is past
BLOCK_BYTES: Final = 2 * EAR_BLOCK_FRAMES


@dataclass(slots=True)
class Piece:
    """20 ms: s16le, and its other encodings once somebody asked for them."""

    pcm: bytes
    first: bool
    last: bool
    encoded: dict[str, bytes] = field(default_factory=dict)


class Stretches:
    """take() blocks in order; encoded() each piece at most once an encoding, in order."""

    def __init__(self) -> None:
        self._silent = TAIL_BLOCKS  # blocks since the last sound
        self._encoder: OpusEncoder | None = None

    def take(self, block: FarEnd, pcm: bytes) -> list[Piece]:
        """The pieces of a block: none in silence between stretches. A device that ran dry does not end a stretch."""
        if not pcm:
            silent = min(-(-block.frames // EAR_BLOCK_FRAMES), TAIL_BLOCKS - self._silent)
            return [self._tail() for _ in range(silent)]
        first = self._silent == TAIL_BLOCKS
        if first:
            self._encoder = None
        self._silent = 0
        return [Piece(pcm.ljust(BLOCK_BYTES, b"\0"), first=first, last=False)]

    def close(self) -> None:
        """What comes next begins a stretch."""
        self._silent = TAIL_BLOCKS
        self._encoder = None

    def encoded(self, piece: Piece, encoding: str) -> bytes:
        """The piece as s16le or one Opus packet."""
        if encoding != "opus":
            return piece.pcm
        if encoding not in piece.encoded:
            if self._encoder is None:
                self._encoder = OpusEncoder(EAR_RATE_HZ)
            piece.encoded[encoding] = self._encoder.encode(np.frombuffer(piece.pcm, "<i2"))
        return piece.encoded[encoding]

    def _tail(self) -> Piece:
        self._silent += 1
        return Piece(bytes(BLOCK_BYTES), first=False, last=self._silent == TAIL_BLOCKS)
