"""Scores of what the ear made of a scene: echo removed, starts matched, harm done."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.bench.ear_voices import RATE_HZ

LATE_S: Final = 0.6
"""How long after an interruption's end a start still belongs to it: its reverberation."""

FRAME: Final = 512
FLOOR: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Spoken:
    """An interruption: from its first sound to its end, in s. near_to_echo_db: of their levels at the microphone."""

    start: float
    end: float
    near_to_echo_db: float


@dataclass(slots=True)
class Matched:
    """latencies_ms: from an interruption's first sound until user_started was known. errors_ms: of the time it told.

    missed: interruptions without a start. false: starts without an interruption.
    """

    latencies_ms: list[float]
    errors_ms: list[float]
    missed: int
    false: int


def erle_db(raw: NDArray[np.int16], clean: NDArray[np.int16], start: float, end: float) -> float:
    """How much quieter the cleaned sound is, in dB, from start to end in s."""
    span = slice(round(start * RATE_HZ), round(end * RATE_HZ))
    before, after = (float((sound[span].astype(np.float64) ** 2).sum()) for sound in (raw, clean))
    return 10 * float(np.log10((before + 1) / (after + 1)))


def match(spoken: Sequence[Spoken], starts: Sequence[tuple[float, float]]) -> Matched:
    """starts: (when it was known, when it says that the sound began), in s."""
    result = Matched([], [], 0, 0)
    used = 0
    for each in spoken:
        own = [(known, at) for known, at in starts if each.start < known < each.end + LATE_S]
        used += len(own)
        if not own:
            result.missed += 1
            continue
        known, at = own[0]
        result.latencies_ms.append((known - each.start) * 1000)
        result.errors_ms.append((at - each.start) * 1000)
    result.false = len(starts) - used
    return result


def si_sdr_db(reference: NDArray[np.int16], heard: NDArray[np.int16]) -> float:
    """Scale-invariant signal-to-distortion ratio, in dB. Leaves out no phase shift: a high-pass filter costs a lot."""
    wanted, got = reference.astype(np.float64), heard.astype(np.float64)
    aimed = wanted * (wanted @ got) / (wanted @ wanted)
    return 10 * float(np.log10((aimed @ aimed + FLOOR) / (((got - aimed) ** 2).sum() + FLOOR)))


def log_spectral_distance_db(reference: NDArray[np.int16], heard: NDArray[np.int16]) -> float:
    """The RMS difference of the spectra, in dB, from 150 Hz on, where the reference is within 40 dB of its maximum."""
    ours, theirs = (_spectra(sound) for sound in (reference, heard))
    bins = slice(round(150 * FRAME / RATE_HZ), None)
    ours, theirs = ours[:, bins], theirs[:, bins]
    audible = ours > ours.max() - 40
    return float(np.sqrt(((ours - theirs)[audible] ** 2).mean()))


def _spectra(sound: NDArray[np.int16]) -> NDArray[np.float64]:
    frames = np.lib.stride_tricks.sliding_window_view(sound.astype(np.float64), FRAME)[:: FRAME // 2]
    return np.asarray(10 * np.log10(np.abs(np.fft.rfft(frames * np.hanning(FRAME), axis=1)) ** 2 + 1), np.float64)
