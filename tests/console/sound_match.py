"""Finds what a microphone heard in what a speaker played, by correlation, with the delay between them."""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE_HZ = 16_000
WINDOW = RATE_HZ // 2
LEAST_RMS = 300.0
ALIKE = 0.6
"""Of a window's normalised correlation: Opus at 24 kbit/s keeps above 0.9, another window stays below 0.4."""
Sound = NDArray[np.float64]


def syllables(seconds: float, seed: int = 7) -> Sound:
    """A voice-like sound at RATE_HZ that is nowhere like itself: syllables of chance, each a glide with harmonics."""
    chance = np.random.default_rng(seed)
    parts: list[Sound] = []
    while sum(map(len, parts)) < seconds * RATE_HZ:
        times = np.arange(int(chance.uniform(0.12, 0.3) * RATE_HZ)) / RATE_HZ
        from_hz, to_hz = chance.uniform(110, 260, 2)
        phase = 2 * np.pi * (from_hz * times + (to_hz - from_hz) * times**2 / (2 * times[-1]))
        voice = sum(chance.uniform(0.2, 1) / number * np.sin(number * phase) for number in range(1, 9))
        parts += [
            voice * np.sqrt(np.abs(np.sin(np.pi * times / times[-1]))),
            np.zeros(int(chance.uniform(0.03, 0.15) * RATE_HZ)),
        ]
    sound = np.concatenate(parts)[: int(seconds * RATE_HZ)]
    return 12_000 * sound / np.abs(sound).max()


def write_wav(path: Path, sound: Sound, rate_hz: int = RATE_HZ) -> None:
    """Mono, 16 bits."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(sound.astype("<i2").tobytes())


def read_wav(path: Path) -> Sound:
    """Mono at RATE_HZ, of a file at a multiple of it, which may still grow."""
    with wave.open(str(path)) as file:
        rate_hz, channels = file.getframerate(), file.getnchannels()
        pcm = np.frombuffer(path.read_bytes()[44:], "<i2").astype(float)
    mono = pcm[: len(pcm) // channels * channels].reshape(-1, channels).mean(axis=1)
    step = rate_hz // RATE_HZ
    assert step * RATE_HZ == rate_hz
    return mono[: len(mono) // step * step].reshape(-1, step).mean(axis=1)


def where(needle: Sound, hay: Sound) -> tuple[int, float]:
    """At which frame of `hay` the needle fits best, and its normalised correlation there, 0..1."""
    size = 1 << (len(hay) + len(needle)).bit_length()
    spectrum = np.fft.rfft(hay, size) * np.conj(np.fft.rfft(needle, size))
    products = np.fft.irfft(spectrum, size)[: max(1, len(hay) - len(needle) + 1)]
    sums = np.concatenate([[0.0], np.cumsum(hay**2)])
    energy = sums[len(needle) : len(needle) + len(products)] - sums[: len(products)]
    alike = products / np.sqrt(np.maximum(energy, 1e3 * len(needle)) * np.sum(needle**2))
    best = int(np.argmax(alike))
    return best, float(alike[best])


def delays_s(spoken: Sound, spoken_at_s: float, heard: Sound, heard_at_s: float, *, most_s: float = 3.0) -> list[float]:
    """The delay of each half second of `spoken` that is found in `heard`. Times: of the first frames, by one clock."""
    found = []
    for at in range(0, len(spoken) - WINDOW, WINDOW):
        needle = spoken[at : at + WINDOW]
        if np.sqrt(np.mean(needle**2)) < LEAST_RMS:
            continue
        began_s = spoken_at_s + at / RATE_HZ
        first = max(0, int((began_s - heard_at_s) * RATE_HZ))
        hay = heard[first : first + WINDOW + int(most_s * RATE_HZ)]
        if len(hay) < WINDOW:
            continue
        frame, alike = where(needle, hay)
        if alike >= ALIKE:
            found.append(heard_at_s + (first + frame) / RATE_HZ - began_s)
    return found
