"""Locates speech in captured sound, to compare it sample by sample."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hil.captured import Sound


@dataclass(frozen=True, slots=True)
class Intact:
    """start_ns: when its first sample was heard. missing_ms: how much of the speech was silent or wrong.

    residual_db: power left after subtracting the reference, relative to the reference; -inf if equal.
    """

    start_ns: int
    missing_ms: float
    residual_db: float


def compare(sound: Sound, reference: NDArray[np.int16], block_ms: float = 5.0) -> Intact | None:
    """Find the reference (int16, at the sound's rate) in the sound; None if it is not there. Echoes are ignored."""
    heard, wanted = sound.pcm.astype(np.float64), reference.astype(np.float64)
    if len(heard) < len(wanted) or not wanted.any():
        return None
    size = 1 << int(np.ceil(np.log2(len(heard) + len(wanted))))
    match = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(wanted, size)), size)[
        : len(heard) - len(wanted) + 1
    ]
    at = int(match.argmax())
    part, power = heard[at : at + len(wanted)], float((wanted**2).sum())
    gain = float((part * wanted).sum()) / power
    if gain < 0.1:
        return None
    error = part - gain * wanted
    block = max(1, round(block_ms * sound.rate_hz / 1000))
    starts = np.arange(0, len(wanted), block)
    wrong = np.add.reduceat(error**2, starts) > 0.5 * np.maximum(
        gain**2 * np.add.reduceat(wanted**2, starts), block * 100.0
    )
    ratio = float((error**2).sum()) / (gain**2 * power)
    return Intact(sound.time_ns(at), float(wrong.sum()) * block_ms, 10 * np.log10(ratio) if ratio else -np.inf)


def without_stalls(sound: Sound, least_ms: float = 1.0) -> Sound:
    """The sound without runs of exact zeros, in which a digital sink stalled and nothing was lost.

    Only for speech that is never zero, on rigs with digital capture: analogue silence is not exactly zero.
    """
    sounding = np.flatnonzero(sound.pcm)
    if not len(sounding):
        return sound
    gap = np.diff(sounding, prepend=sounding[0]) > least_ms * sound.rate_hz / 1000
    ends = np.append(np.flatnonzero(gap), len(sounding)) - 1
    starts = np.insert(np.flatnonzero(gap), 0, 0)
    parts = [sound.pcm[sounding[first] : sounding[last] + 1] for first, last in zip(starts, ends, strict=True)]
    return Sound(sound.time_ns(int(sounding[0])), sound.rate_hz, np.concatenate(parts))


def share_found(
    sound: Sound, reference: NDArray[np.int16], block_ms: float = 40.0, every: int = 5, ahead_s: float = 3.0
) -> float:
    """Fraction 0..1 of the reference found in the sound, in order but with gaps. Searches one of `every` blocks.

    For sound cards that drop and repeat samples, as QEMU's does on a busy machine: losses cannot be counted there.
    """
    block, ahead = round(block_ms * sound.rate_hz / 1000), round(ahead_s * sound.rate_hz)
    heard, wanted = sound.pcm.astype(np.float64), reference.astype(np.float64)
    looked_for = range(0, len(wanted) // block, every)
    at, found = 0, 0
    for number in looked_for:
        part = wanted[number * block : (number + 1) * block]
        window = heard[at : at + block + ahead] if found else heard[at:]
        place = _best_place(window, part)
        if place is not None:
            at, found = at + place + block // 2, found + 1
    return found / len(looked_for) if looked_for else 0.0


def _best_place(heard: NDArray[np.float64], part: NDArray[np.float64], least: float = 0.9) -> int | None:
    """Position of a block by normalised correlation; None if not found."""
    if len(heard) < len(part):
        return None
    size = 1 << int(np.ceil(np.log2(len(heard) + len(part))))
    match = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(part, size)), size)
    at = int(match[: len(heard) - len(part) + 1].argmax())
    there = heard[at : at + len(part)]
    norm = float(np.sqrt((there**2).sum() * (part**2).sum()))
    return at if norm > 0 and float((there * part).sum()) / norm > least else None
