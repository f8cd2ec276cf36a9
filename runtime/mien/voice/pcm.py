"""A first-in, first-out store of mono int16 frames."""

from collections import deque
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]

BLOCK_FRAMES: Final = 256
"""Chunks below this are copied together: an array of its own costs 190 bytes, however few frames it has."""


class PcmQueue:
    """Chunks in, any number of frames out. Bounded by its owner, which asks for len() before it adds.

    What it takes of memory follows the frames, not the chunks.
    """

    def __init__(self) -> None:
        self._blocks: deque[Pcm] = deque()
        self._frames = 0
        # The newest frames, while they do not fill a block: _tail[_first : _last], behind all of _blocks.
        self._tail: Pcm | None = None
        self._first = self._last = 0

    def __len__(self) -> int:
        return self._frames

    def push(self, pcm: Pcm) -> None:
        """Add frames, int16 (N,). Large chunks are kept by reference: the caller gives them away."""
        self._frames += len(pcm)
        if self._last:
            pcm = pcm[self._append(pcm) :]
        if len(pcm) >= BLOCK_FRAMES:
            self._blocks.append(pcm)
        elif len(pcm):
            self._append(pcm)

    def prepend(self, chunks: Sequence[Pcm]) -> None:
        """Put chunks back in front, the first of them first."""
        together = np.concatenate(chunks) if len(chunks) else ()
        if len(together):
            self._blocks.appendleft(np.asarray(together))
            self._frames += len(together)

    def take_into(self, out: Pcm) -> int:
        """Move frames to the start of out, int16 (M,). Returns how many: the smaller of M and len()."""
        done = 0
        while done < len(out) and self._blocks:
            block = self._blocks[0]
            count = min(len(block), len(out) - done)
            out[done : done + count] = block[:count]
            done += count
            if count == len(block):
                self._blocks.popleft()
            else:
                self._blocks[0] = block[count:]
        done += self._take_tail(out[done:])
        self._frames -= done
        return done

    def take_all(self) -> Pcm:
        """All of it, as one array of its own."""
        everything = np.empty(len(self), np.int16)
        self.take_into(everything)
        return everything

    def clear(self) -> None:
        """Forget everything."""
        self._blocks.clear()
        self._frames = self._first = self._last = 0

    def _append(self, pcm: Pcm) -> int:
        """Copy as much as the tail has room for. Returns how much; a full tail becomes a block."""
        if self._tail is None:
            self._tail = np.empty(BLOCK_FRAMES, np.int16)
        count = min(len(pcm), BLOCK_FRAMES - self._last)
        self._tail[self._last : self._last + count] = pcm[:count]
        self._last += count
        if self._last == BLOCK_FRAMES:
            self._blocks.append(self._tail[self._first :])
            self._tail, self._first, self._last = None, 0, 0
        return count

    def _take_tail(self, out: Pcm) -> int:
        count = min(self._last - self._first, len(out))
        if self._tail is not None:
            out[:count] = self._tail[self._first : self._first + count]
            self._first += count
            if self._first == self._last:
                self._first = self._last = 0
        return count
