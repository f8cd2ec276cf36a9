"""Splits speech that is longer than max_turn_ms into turns, at pauses where possible, without losing a sample."""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

BLOCK_MS: Final = 20
PAUSE_MS: Final = 200
QUIET: Final = 330.0  # RMS of int16: -40 dB below full scale
SEARCH_PART: Final = 0.2  # the last part of a turn in which a pause is searched for
_SAMPLE_BYTES: Final = 2


class TurnCutter:
    """Splits mono s16le of any chunk size into (bytes, whether the turn ends after them).

    most_ms: the longest turn. All bytes are returned in order, including half a sample at the very end.
    """

    def __init__(self, rate_hz: int, most_ms: int) -> None:
        self._block_bytes = rate_hz * BLOCK_MS // 1000 * _SAMPLE_BYTES
        self._most_bytes = rate_hz * most_ms // 1000 * _SAMPLE_BYTES
        self._search_from_bytes = int(self._most_bytes * (1 - SEARCH_PART)) // _SAMPLE_BYTES * _SAMPLE_BYTES
        self._bytes = 0  # of the turn so far
        self._quiet_ms = 0
        self._rest = b""

    def cut(self, chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
        """Split speech as it arrives, delaying it by at most one block."""
        for chunk in chunks:
            data = self._rest + chunk
            while data:
                piece, ends = self._next(data)
                if not piece:
                    break
                yield piece, ends
                data = data[len(piece) :]
            self._rest = data
        if self._rest:
            yield self._rest, False
            self._rest = b""

    def _next(self, data: bytes) -> tuple[bytes, bool]:
        """The part of `data` that can be returned now; nothing while an incomplete block must be searched."""
        left = self._search_from_bytes - self._bytes
        if left > 0:  # before the search range: all of it
            piece = data[:left]
            self._bytes += len(piece)
            return piece, False
        piece = data[: min(self._block_bytes, self._most_bytes - self._bytes)]
        if len(piece) < self._block_bytes and self._bytes + len(piece) < self._most_bytes:
            return b"", False
        self._bytes += len(piece)
        self._quiet_ms = self._quiet_ms + BLOCK_MS if _rms(piece) < QUIET else 0
        if self._quiet_ms < PAUSE_MS and self._bytes < self._most_bytes:
            return piece, False
        self._bytes = self._quiet_ms = 0
        return piece, True


def _rms(block: bytes) -> float:
    samples = np.frombuffer(block, dtype="<i2").astype(np.float64)
    return float(np.sqrt(np.mean(samples * samples)))
