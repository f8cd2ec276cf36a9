"""FIFO queues of mono int16 frames, with or without resampling."""

from collections import deque
from collections.abc import Sequence
from typing import Final

import numpy as np

from mien.audio.base import Pcm
from mien.audio.resample import Resampler
from mien.units import ms_to_frames

BLOCK_FRAMES: Final = 256
"""Smaller chunks are copied into one block: an array costs 190 bytes however few frames it has."""
SLICE_MS: Final = 20
"""How much is resampled at a time: a shorter slice costs almost as much (0.1 ms)."""


class PcmQueue:
    """Takes chunks, gives any number of frames. The owner bounds it: it checks len() before it adds.

    Memory use is proportional to the number of frames, not of chunks.
    """

    def __init__(self) -> None:
        self._blocks: deque[Pcm] = deque()
        self._frames = 0
        # The newest frames, which do not fill a block yet: _tail[_first : _last], after all of _blocks.
        self._tail: Pcm | None = None
        self._first = self._last = 0

    def __len__(self) -> int:
        return self._frames

    def push(self, pcm: Pcm) -> None:
        """Add frames, int16 (N,). Large chunks are kept by reference: the caller must not change them."""
        self._frames += len(pcm)
        if self._last:
            pcm = pcm[self._append(pcm) :]
        if len(pcm) >= BLOCK_FRAMES:
            self._blocks.append(pcm)
        elif len(pcm):
            self._append(pcm)

    def prepend(self, chunks: Sequence[Pcm]) -> None:
        """Put chunks back in front, in order."""
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
        """Remove everything, int16 (N,)."""
        everything = np.empty(len(self), np.int16)
        self.take_into(everything)
        return everything

    def clear(self) -> None:
        """Drop everything."""
        self._blocks.clear()
        self._frames = self._first = self._last = 0

    def _append(self, pcm: Pcm) -> int:
        """Copy as many frames as the tail has room for. Returns how many. A full tail becomes a block."""
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


class ResampledQueue:
    """Takes frames at one rate and gives them at another. The owner bounds it.

    Frames are resampled when they are taken: receiving a long burst is cheap, and audio that is never played is never
    resampled.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        """Raises ValueError for a rate that is not in RATES_HZ."""
        self._resampler = Resampler(from_hz, to_hz)
        self._waiting = PcmQueue()
        self._ready = PcmQueue()
        self._ended = False
        self._taken = 0
        self._slice = np.empty(ms_to_frames(SLICE_MS, from_hz), np.int16)

    def __len__(self) -> int:
        """How many frames can be taken now."""
        return len(self._ready) + self._resampler.yields(len(self._waiting), end=self._ended)

    @property
    def total(self) -> int:
        """How many frames were taken or can be taken now."""
        return self._taken + len(self)

    def push(self, pcm: Pcm) -> None:
        """Add frames at the first rate, int16 (N,). They may be kept by reference: the caller must not change them."""
        self._waiting.push(pcm)

    def end(self) -> None:
        """Nothing more will be pushed: the resampler's last frames become available."""
        self._ended = True

    def take_into(self, out: Pcm) -> int:
        """Move frames at the second rate to the start of out, int16 (M,). Returns how many: the smaller of M and len().

        Resamples about M frames, however much was pushed.
        """
        done = self._ready.take_into(out)
        while done < len(out) and len(self):
            self._resample_slice()
            done += self._ready.take_into(out[done:])
        self._taken += done
        return done

    def prepend(self, chunks: Sequence[Pcm]) -> None:
        """Put chunks that were taken back in front, in order."""
        self._ready.prepend(chunks)
        self._taken -= sum(map(len, chunks))

    def clear(self) -> None:
        """Drop everything."""
        self._waiting.clear()
        self._ready.clear()
        self._resampler.restart()

    def _resample_slice(self) -> None:
        # Only while nothing is ready: at equal rates what is ready is a part of this very slice.
        count = self._waiting.take_into(self._slice)
        self._ready.push(self._resampler.push(self._slice[:count]) if count else self._resampler.flush())
