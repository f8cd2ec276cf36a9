"""Fade-outs, which end sound without a click."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mien.audio.base import Pcm


def fade_out(pcm: Pcm, frames: int) -> None:
    """Fade the last `frames` of pcm to silence, in place.

    pcm: int16 (N,), writeable. If N < frames, the fade covers all of pcm.
    """
    length = min(frames, len(pcm))
    tail = pcm[len(pcm) - length :]
    # "unsafe" allows the cast from float to int16, toward zero. numpy casts in small chunks, without an extra array.
    np.multiply(tail, falling(length), out=tail, casting="unsafe")


@lru_cache(maxsize=8)
def falling(frames: int) -> NDArray[np.float32]:
    """The gain of a fade-out: a raised cosine, float32 (frames,)."""
    phase = np.pi * (np.arange(frames) + 0.5) / max(1, frames)
    gain: NDArray[np.float32] = (0.5 + 0.5 * np.cos(phase)).astype(np.float32)
    gain.flags.writeable = False
    return gain
