"""Pauses missing from labels: some engines extend the last vowel to the next word, but a mouth does not stay open."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .paths import RATE_HZ
from .targets import TimedPhone

LEAST_S = 0.2  # longer than any closure of a stop, geminates included: Lahiri and Hankamer, J. Phonetics 16 (1988)
QUIET = 10 ** (-42 / 20)  # relative to the loudest 10 ms
_EDGE_S = 0.03  # kept by the phones on both sides
_FRAME = RATE_HZ // 100


def pauses(pcm: NDArray[np.int16]) -> list[tuple[float, float]]:
    """The silent stretches of at least 200 ms: (start s, end s)."""
    frames = pcm[: len(pcm) // _FRAME * _FRAME].reshape(-1, _FRAME).astype(np.float32)
    if not len(frames):
        return []
    loudness = np.sqrt((frames**2).mean(axis=1))
    quiet = loudness < QUIET * loudness.max()
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]])))
    seconds = edges.reshape(-1, 2) * _FRAME / RATE_HZ
    return [(float(start), float(end)) for start, end in seconds if end - start >= LEAST_S]


def hushed(phones: Sequence[TimedPhone], pcm: NDArray[np.int16]) -> list[TimedPhone]:
    """The phones without pauses. A phone around a pause keeps the parts before and after it."""
    kept = list(phones)
    for start, end in pauses(pcm):
        first, last = start + _EDGE_S, end - _EDGE_S
        parts = [(ipa, s, e) for ipa, s, e in kept if e <= first or s >= last]
        parts += [(ipa, s, first) for ipa, s, e in kept if s < start and e > first]
        parts += [(ipa, last, e) for ipa, s, e in kept if s < last and e > end]
        kept = sorted(parts, key=lambda phone: phone[1])
    return kept
