"""Articulator curves at 100 Hz from timed phones, with coarticulation.

Each articulator is a weighted mean of the targets around a moment. The weights are each phone's dominance under a bell
that is narrow for closures, which must be complete and on time, and wide for the jaw and for rounding, which spread
over neighbours (Cohen and Massaro 1993, after Lofqvist's gestural dominance, 1990). Closures and bites are separate
gestures on top, since an incomplete closure is not a p.

Lips return to rest slowly: they stay parted for a moment after speech, and throughout a gap between words that is as
short as a stop. If they closed at once, every t with a silent closure would look like a p with 100 ms of lookahead.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .paths import FRAME_HZ
from .phones import ARTICULATORS, PHONES, SILENCE, Phone, classes

TimedPhone = tuple[str, float, float]

_LIPS = ("pucker", "funnel", "spread", "upper", "lower", "tongue")
_SPREAD_MS = {"jaw": 42.0, "close": 9.0, "bite": 10.0, "pucker": 30.0, "funnel": 30.0, "spread": 30.0, "upper": 25.0,
              "lower": 25.0, "tongue": 18.0, "press": 14.0}  # fmt: skip
_FINE = 4  # subframes, because phone boundaries fall between frames

_REST_AFTER_S = 0.06  # of silence before the lips begin to close
_LEAST_REST_S = 0.15  # pauses shorter than this keep them parted
_PARTED = len(PHONES)
# The jaw is at rest meanwhile; otherwise it would move in silence.
_ROWS = (*PHONES, Phone("parted", 0.0, upper=0.25, lower=0.35))

_TABLE = np.array([[getattr(phone, name) for name in ARTICULATORS] for phone in _ROWS])
_WEIGHTS = np.array(
    [[p.jaw_weight if n == "jaw" else p.lip_weight if n in _LIPS else 1.0 for n in ARTICULATORS] for p in _ROWS]
)


def class_track(phones: Sequence[TimedPhone], frames: int, rate_hz: int = FRAME_HZ) -> NDArray[np.uint8]:
    """(phone in IPA, start s, end s) -> the phone class of each frame, uint8 (frames,). Gaps are silence."""
    track = np.full(frames, SILENCE, dtype=np.uint8)
    for ipa, start, end in phones:
        parts = classes(ipa)
        # The first target of a diphthong lasts for the larger part of it.
        cuts = (start, end) if len(parts) == 1 else (start, start + 0.6 * (end - start), end)
        for index, part in enumerate(parts):
            first, last = (max(0, min(frames, round(at * rate_hz))) for at in cuts[index : index + 2])
            track[first:last] = part
    return track


def articulate(phones: Sequence[TimedPhone], frames: int) -> NDArray[np.float32]:
    """Timed phones -> articulator curves, float32 (frames, len(ARTICULATORS)) in 0..1, at 100 Hz."""
    fine_hz = FRAME_HZ * _FINE
    track = _parted(class_track(phones, frames * _FINE, fine_hz), fine_hz)
    out = np.empty((frames, len(ARTICULATORS)), dtype=np.float32)
    for column, name in enumerate(ARTICULATORS):
        weights = _WEIGHTS[track, column]
        bell = _bell(_SPREAD_MS[name] * fine_hz / 1000)
        total = np.convolve(np.pad(weights, len(bell) // 2, mode="edge"), bell, "valid")
        part = np.convolve(np.pad(weights * _TABLE[track, column], len(bell) // 2, mode="edge"), bell, "valid")
        out[:, column] = (part / total)[::_FINE]
    return out


def _parted(track: NDArray[np.uint8], rate_hz: int) -> NDArray[np.uint8]:
    """The track with parted lips at the start of pauses and throughout short pauses."""
    edges = np.flatnonzero(np.diff((track == SILENCE).astype(np.int8), prepend=0, append=0))
    moved = track.copy()
    for start, end in edges.reshape(-1, 2):
        between_words = end < len(track) and end - start < _LEAST_REST_S * rate_hz
        if start > 0:
            moved[start : end if between_words else min(end, start + round(_REST_AFTER_S * rate_hz))] = _PARTED
    return moved


def _bell(sigma: float) -> NDArray[np.float64]:
    half = int(3 * sigma) + 1
    bell = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    return np.asarray(bell / bell.sum())
