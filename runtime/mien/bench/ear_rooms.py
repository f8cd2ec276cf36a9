"""Rooms for the ear's benchmark: loudspeaker, walls, noise, two clocks."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import soxr
from scipy.signal import fftconvolve, lfilter

from mien.bench.ear_voices import RATE_HZ, Signal
from mien.errors import MienError

REMEDY: Final = "install the development tools: pip install 'mien[dev]'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Impulse responses from the kiosk's speaker and from the customer's mouth to the kiosk's microphone."""

    name: str
    rt60_s: float
    echo: Signal
    mouth: Signal


SHAPES: Final = (  # name, size in m, RT60 in s, microphone, speaker, customer
    ("booth", (2.4, 2.0, 2.4), 0.15, (1.2, 0.3, 1.4), (1.2, 0.3, 1.1), (1.25, 1.0, 1.6)),
    ("office", (4.5, 3.6, 2.7), 0.25, (2.0, 0.4, 1.4), (2.15, 0.4, 1.1), (2.1, 1.2, 1.6)),
    ("lobby", (7.0, 6.0, 3.2), 0.4, (3.0, 0.5, 1.3), (3.1, 0.5, 0.9), (2.8, 1.4, 1.6)),
    ("hall", (10.0, 8.0, 4.0), 0.5, (5.0, 0.6, 1.3), (5.2, 0.6, 1.0), (5.1, 1.3, 1.7)),
)


def rooms(count: int = len(SHAPES)) -> list[Room]:
    """The first `count` rooms, by the image-source method. Raises MienError: pyroomacoustics is missing."""
    try:
        import pyroomacoustics as pra
    except ImportError as error:
        raise MienError(f"rooms need pyroomacoustics ({error}); {REMEDY}") from None
    built = []
    for name, size, rt60_s, microphone, speaker, customer in SHAPES[:count]:
        absorption, order = pra.inverse_sabine(rt60_s, size)
        room = pra.ShoeBox(size, fs=RATE_HZ, materials=pra.Material(absorption), max_order=min(order, 40))
        room.add_source(speaker)
        room.add_source(customer)
        room.add_microphone(microphone)
        room.compute_rir()
        echo, mouth = (np.asarray(response, np.float64) for response in room.rir[0])
        built.append(Room(name=name, rt60_s=rt60_s, echo=_from_direct(echo, True), mouth=_from_direct(mouth, False)))
    return built


def _from_direct(response: Signal, keep_travel: bool) -> Signal:
    """Unit energy. Without its travel time, the customer's sound begins where the dry voice does."""
    first = int(np.argmax(np.abs(response) > 0.2 * np.abs(response).max()))
    cut = response if keep_travel else response[max(0, first - 2) :]
    return np.asarray(cut / np.sqrt((cut**2).sum()), np.float64)


def loudspeaker(sound: Signal, distortion: float) -> Signal:
    """A small speaker: nothing below 200 Hz, soft clipping. distortion: 0 none, 1 a small speaker at its limit."""
    pole = np.exp(-2 * np.pi * 200 / RATE_HZ)
    thin = lfilter([1.0, -1.0], [1.0, -pole], sound)
    if not distortion:
        return np.asarray(thin, np.float64)
    drive = 1.5 * distortion
    return np.asarray(np.tanh(drive * thin) / drive, np.float64)


def through(sound: Signal, response: Signal) -> Signal:
    """The sound at the microphone, as long as the dry one."""
    return np.asarray(fftconvolve(sound, response)[: len(sound)], np.float64)


def drifted(sound: Signal, ppm: float) -> Signal:
    """The sound as a clock that is `ppm` fast plays it."""
    if not ppm:
        return sound
    return np.asarray(soxr.resample(sound, RATE_HZ * (1 + ppm * 1e-6), RATE_HZ, quality="VHQ"), np.float64)


def noise(frames: int, random: np.random.Generator) -> Signal:
    """Noise of a public room: falling by 6 dB an octave above 500 Hz, unit RMS."""
    pole = np.exp(-2 * np.pi * 500 / RATE_HZ)
    made = lfilter([1.0], [1.0, -pole], random.standard_normal(frames))
    return np.asarray(made / made.std(), np.float64)


def rms(sound: Signal) -> float:
    """Over the parts that are not silent."""
    hop = RATE_HZ // 50
    power = (sound[: len(sound) // hop * hop].reshape(-1, hop) ** 2).mean(axis=1)
    return float(np.sqrt(power[power > 0.01 * power.max()].mean()))
