"""Test speech that is the same on every board: vowels made of harmonics, with closures, mono int16 at 16 kHz.

A board needs no TTS engine for it. It is no language, but it has what the motion model reacts to: voice, formants that
move, and lips that close.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.motion.base import Pcm

RATE_HZ: Final = 16_000
SYLLABLE_S: Final = 0.24
CLOSURE_S: Final = 0.06
HIGHEST_HZ: Final = 5_000
LEVEL: Final = 9_000
FORMANTS_HZ: Final = ((730, 1090, 2440), (270, 2290, 3010), (300, 870, 2240), (530, 1840, 2480), (570, 840, 2410))
"""Of the vowels in father, heed, who, head, law: means of 33 men, Peterson and Barney, JASA 24, 1952."""
WIDTHS_HZ: Final = (80.0, 100.0, 140.0)


def syllables(seconds: float, seed: int) -> Pcm:
    """Speech of this length; it begins at full level. The same seed makes the same speech."""
    random = np.random.default_rng(seed)
    count = max(1, round(seconds / SYLLABLE_S))
    frames = round(SYLLABLE_S * RATE_HZ)
    vowels = np.array(FORMANTS_HZ, np.float64)[_vowels(count, random)]
    at = np.arange(count * frames) / frames
    moving = np.stack([np.interp(at, np.arange(count) + 0.5, vowels[:, n]) for n in range(3)], axis=1)
    pitch_hz = 120 + 25 * np.sin(2 * np.pi * at / 7) + random.normal(0, 3, len(at)).cumsum() / 200
    sound = _voice(pitch_hz, moving) * _closures(count, frames)
    spoken: Pcm = np.clip(LEVEL * sound / np.abs(sound).max(), -32767, 32767).astype(np.int16)
    return spoken


def _vowels(count: int, random: np.random.Generator) -> list[int]:
    """An open vowel first, then never the same twice in a row."""
    order = [0]
    while len(order) < count:
        order.append((order[-1] + int(random.integers(1, len(FORMANTS_HZ)))) % len(FORMANTS_HZ))
    return order


def _voice(pitch_hz: NDArray[np.float64], formants_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """A glottal buzz through three resonances in a row. formants_hz: (N, 3)."""
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    sound = np.zeros(len(phase))
    for harmonic in range(1, int(HIGHEST_HZ / pitch_hz.min()) + 1):
        at_hz = harmonic * pitch_hz
        gain = harmonic**-0.5 * np.ones(len(phase))
        for centre_hz, width_hz in zip(formants_hz.T, WIDTHS_HZ, strict=True):
            gain *= centre_hz**2 / np.hypot(centre_hz**2 - at_hz**2, at_hz * width_hz)
        sound += gain * np.sin(harmonic * phase + 0.7 * harmonic**2)
    return sound


def _closures(count: int, frames: int) -> NDArray[np.float64]:
    """The level of each syllable: open from its start, nearly silent at its end."""
    closed = round(CLOSURE_S * RATE_HZ)
    one = np.ones(frames)
    one[-closed:] = 0.02
    smooth = np.hanning(161)
    levels: NDArray[np.float64] = np.convolve(np.tile(one, count), smooth / smooth.sum(), "same")
    return levels
