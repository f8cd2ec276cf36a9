"""Test speech, mono int16 at the sound card's rate."""

from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from hil.mouth.scene import PLAYED_DB, level
from hil.voice import RATE_HZ
from mien.bench.ear_voices import CUSTOMER, ESPEAK, kiosk_speech, speak
from mien.bench.ear_voices import RATE_HZ as EAR_HZ
from mien.bench.speech import RATE_HZ as SPOKEN_HZ
from mien.bench.speech import utterances
from mien.face.calibration import flash_times_ms

Pcm = NDArray[np.int16]
CLICK_HZ: Final = 1000
CLICK_MS: Final = 20
LEVEL: Final = 12_000
KIOSK_VOICE: Final = "en-us+f3"
HISS: Final = 40  # of int16: also a quarter of it, while the kiosk is ducked, is not zero


def clicks(length_ms: int) -> Pcm:
    """Clicks at the start of each flash, over a hiss too faint to be detected as a click."""
    pcm = np.random.default_rng(6).normal(0, 20, length_ms * RATE_HZ // 1000)
    click = LEVEL * np.sin(2 * np.pi * CLICK_HZ * np.arange(CLICK_MS * RATE_HZ // 1000) / RATE_HZ)
    for at_ms in flash_times_ms(length_ms):
        begin = at_ms * RATE_HZ // 1000
        part = click[: len(pcm) - begin]
        pcm[begin : begin + len(part)] += part
    return pcm.astype(np.int16)


def syllables(seconds: float, seed: int = 3) -> Pcm:
    """Syllables of noise, never zero: moves any mouth, and every missing sample can be detected."""
    at = np.arange(int(seconds * RATE_HZ))
    loud = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * at / RATE_HZ)
    noise = np.convolve(np.random.default_rng(seed).normal(size=len(at)), np.ones(8) / 8, "same")
    pcm = (noise * loud * 12_000).astype(np.int16)
    return np.where(pcm == 0, np.int16(1), pcm)


def sentences(count: int) -> list[Pcm]:
    """Sentences spoken by espeak-ng. Raises MienError if it is not installed."""
    return [_at_card_rate(pcm) for pcm in utterances(count)]


def kiosk(seconds: float) -> Pcm:
    """The kiosk's own speech at PLAYED_DB, never zero: where it ends can be told to the sample. Raises MienError."""
    spoken = kiosk_speech(seconds, KIOSK_VOICE)[: round(seconds * EAR_HZ)]
    pcm = soxr.resample(spoken, EAR_HZ, RATE_HZ)
    pcm *= 32767 * 10 ** (PLAYED_DB / 20) / level(pcm)
    hiss = np.random.default_rng(7).choice((-HISS, HISS), len(pcm))
    sum_: Pcm = np.clip(np.where(np.abs(pcm) < HISS, hiss, pcm), -32767, 32767).astype(np.int16)
    return sum_


def customers() -> list[Pcm]:
    """Sentences of customers, in several voices; each begins with its first sound. Raises MienError."""
    return [
        np.asarray(soxr.resample(0.9 * 32767 * speak(text, ESPEAK[number % len(ESPEAK)]), EAR_HZ, RATE_HZ), np.int16)
        for number, text in enumerate(CUSTOMER)
    ]


def _at_card_rate(pcm: Pcm) -> Pcm:
    spoken = soxr.resample(pcm.astype(np.float32), SPOKEN_HZ, RATE_HZ)
    found: Pcm = np.clip(spoken, -32767, 32767).astype(np.int16)
    return found
