"""Rooms for the ear's benchmark: loudspeaker, walls, noise, two clocks."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import soxr

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


def rooms(count: int = len(SHAPES), rate_hz: int = RATE_HZ) -> list[Room]:
    """The first `count` rooms, by the image-source method. Raises MienError: pyroomacoustics is missing."""
    try:
        import pyroomacoustics as pra
    except ImportError as error:
        raise MienError(f"rooms need pyroomacoustics ({error}); {REMEDY}") from None
    built = []
    for name, size, rt60_s, microphone, speaker, customer in SHAPES[:count]:
        absorption, order = pra.inverse_sabine(rt60_s, size)
        room = pra.ShoeBox(size, fs=rate_hz, materials=pra.Material(absorption), max_order=min(order, 40))
        room.add_source(speaker)
        room.add_source(customer)
        room.add_microphone(microphone)
        room.compute_rir()
        echo, mouth = (np.asarray(response, np.float64) for response in room.rir[0])
        built.append(Room(name=name, rt60_s=rt60_s, echo=_unit(echo), mouth=_unit(_from_direct(mouth))))
    return built


def _unit(response: Signal) -> Signal:
    """With unit energy."""
    return np.asarray(response / np.sqrt((response**2).sum()), np.float64)


def _from_direct(response: Signal) -> Signal:
    """Without its travel time, so that the customer's sound begins where the dry voice does."""
    first = int(np.argmax(np.abs(response) > 0.2 * np.abs(response).max()))
    return response[max(0, first - 2) :]


def loudspeaker(sound: Signal, distortion: float) -> Signal:
    """A small speaker: nothing below 200 Hz, soft clipping. distortion: 0 none, 1 a small speaker at its limit."""
    thin = _shaped(sound, lambda hertz: hertz / np.sqrt(hertz**2 + 200.0**2))
    if not distortion:
        return thin
    drive = 1.5 * distortion
    return np.asarray(np.tanh(drive * thin) / drive, np.float64)


def through(sound: Signal, response: Signal) -> Signal:
    """The sound at the microphone, as long as the dry one."""
    size = 1 << (len(sound) + len(response)).bit_length()
    spectrum = np.fft.rfft(sound, size) * np.fft.rfft(response, size)
    return np.asarray(np.fft.irfft(spectrum, size)[: len(sound)], np.float64)


def drifted(sound: Signal, ppm: float) -> Signal:
    """The sound as a clock that is `ppm` fast plays it."""
    if not ppm:
        return sound
    return np.asarray(soxr.resample(sound, RATE_HZ * (1 + ppm * 1e-6), RATE_HZ, quality="VHQ"), np.float64)


def noise(frames: int, random: np.random.Generator) -> Signal:
    """Noise of a public room: falling by 6 dB an octave above 500 Hz, unit RMS."""
    made = _shaped(random.standard_normal(frames), lambda hertz: 1 / np.sqrt(hertz**2 + 500.0**2))
    return np.asarray(made / made.std(), np.float64)


def rms(sound: Signal) -> float:
    """Over the parts that are not silent."""
    hop = RATE_HZ // 50
    power = (sound[: len(sound) // hop * hop].reshape(-1, hop) ** 2).mean(axis=1)
    return float(np.sqrt(power[power > 0.01 * power.max()].mean()))


def _shaped(sound: Signal, gain: Callable[[Signal], Signal]) -> Signal:
    """The sound with the gain of each frequency."""
    size = 1 << len(sound).bit_length()
    hertz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    return np.asarray(np.fft.irfft(np.fft.rfft(sound, size) * gain(hertz), size)[: len(sound)], np.float64)
