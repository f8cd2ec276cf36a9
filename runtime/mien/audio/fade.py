"""Fades that end sound without a click."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mien.audio.base import Pcm


def fade_out(pcm: Pcm, frames: int) -> None:
    """Turn the last `frames` of pcm down from full to silence, in place.

    pcm: int16 (N,), writeable. With N < frames the fade is as long as pcm.
    """
    length = min(frames, len(pcm))
    tail = pcm[len(pcm) - length :]
    # Unsafe is float to int16 here, toward zero. numpy casts through a small buffer of its own: no array is made.
    np.multiply(tail, falling(length), out=tail, casting="unsafe")


@lru_cache(maxsize=8)
def falling(frames: int) -> NDArray[np.float32]:
    """The gain of a fade-out: a raised cosine float32 (frames,), level at both ends."""
    phase = np.pi * (np.arange(frames) + 0.5) / max(1, frames)
    gain: NDArray[np.float32] = (0.5 + 0.5 * np.cos(phase)).astype(np.float32)
    gain.flags.writeable = False
    return gain
