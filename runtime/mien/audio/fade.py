"""Fades that begin or end sound without a click."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mien.audio.base import Pcm


def fade_out(pcm: Pcm, frames: int) -> None:
    """Turn the last `frames` of pcm down from full to silence, in place.

    pcm: int16 (N,), writeable. With N < frames the fade is as long as pcm.
    """
    length = min(frames, len(pcm))
    _scale(pcm[len(pcm) - length :], _falling(length))


def fade_in(pcm: Pcm, frames: int) -> None:
    """Turn the first `frames` of pcm up from silence to full, in place.

    pcm: int16 (N,), writeable. With N < frames the fade is as long as pcm.
    """
    length = min(frames, len(pcm))
    _scale(pcm[:length], _falling(length)[::-1])


def _scale(pcm: Pcm, gain: NDArray[np.float32]) -> None:
    # Unsafe is float to int16 here, toward zero. numpy casts through a small buffer of its own: no array is made.
    np.multiply(pcm, gain, out=pcm, casting="unsafe")


@lru_cache(maxsize=8)
def _falling(frames: int) -> NDArray[np.float32]:
    """A raised cosine from just under 1 to just over 0, float32 (frames,): both its ends are level."""
    phase = np.pi * (np.arange(frames) + 0.5) / max(1, frames)
    gain: NDArray[np.float32] = (0.5 + 0.5 * np.cos(phase)).astype(np.float32)
    gain.flags.writeable = False
    return gain
