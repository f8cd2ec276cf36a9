"""A first-in, first-out store of mono int16 frames."""

from collections import deque
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]


class PcmQueue:
    """Chunks in, any number of frames out. Bounded by its owner, which asks for len() before it adds."""

    def __init__(self) -> None:
        self._chunks: deque[Pcm] = deque()
        self._frames = 0

    def __len__(self) -> int:
        return self._frames

    def push(self, pcm: Pcm) -> None:
        """Add frames, int16 (N,). Kept by reference: the caller gives them away."""
        if len(pcm):
            self._chunks.append(pcm)
            self._frames += len(pcm)

    def prepend(self, chunks: Sequence[Pcm]) -> None:
        """Put chunks back in front, the first of them first."""
        self._chunks.extendleft(reversed(chunks))
        self._frames += sum(len(chunk) for chunk in chunks)

    def take_into(self, out: Pcm) -> int:
        """Move frames to the start of out, int16 (M,). Returns how many: the smaller of M and len()."""
        done = 0
        while done < len(out) and self._chunks:
            chunk = self._chunks[0]
            count = min(len(chunk), len(out) - done)
            out[done : done + count] = chunk[:count]
            done += count
            if count == len(chunk):
                self._chunks.popleft()
            else:
                self._chunks[0] = chunk[count:]
        self._frames -= done
        return done

    def clear(self) -> None:
        """Forget everything."""
        self._chunks.clear()
        self._frames = 0
