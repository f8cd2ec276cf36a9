"""A first-in, first-out store that is filled at one rate and emptied at another."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from mien.audio.resample import Resampler
from mien.units import ms_to_frames
from mien.voice.pcm import Pcm, PcmQueue

SLICE_MS: Final = 20  # what is resampled at a time: a shorter slice costs almost as much (0.1 ms)


class ResampledQueue:
    """Mono int16 frames. They are resampled as they are taken: a burst of many seconds costs nothing when it comes,
    and nothing is resampled that is never heard. Bounded by its owner."""

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
        """Add frames at the first rate, int16 (N,). They may be kept by reference: the caller gives them away."""
        self._waiting.push(pcm)

    def end(self) -> None:
        """Nothing more will be pushed: the frames that a later one could have changed can be taken too."""
        self._ended = True

    def take_into(self, out: Pcm) -> int:
        """Move frames at the second rate to the start of out, int16 (M,). Returns how many: the smaller of M and len().

        Resamples about M frames, whatever the length of what was pushed.
        """
        done = self._ready.take_into(out)
        while done < len(out) and len(self):
            self._resample_slice()
            done += self._ready.take_into(out[done:])
        self._taken += done
        return done

    def prepend(self, chunks: Sequence[Pcm]) -> None:
        """Put back chunks that were taken, the first of them first."""
        self._ready.prepend(chunks)
        self._taken -= sum(map(len, chunks))

    def clear(self) -> None:
        """Forget everything."""
        self._waiting.clear()
        self._ready.clear()
        self._resampler.restart()

    def _resample_slice(self) -> None:
        # Only while nothing is ready: at equal rates what is ready is a part of this very slice.
        count = self._waiting.take_into(self._slice)
        self._ready.push(self._resampler.push(self._slice[:count]) if count else self._resampler.flush())
