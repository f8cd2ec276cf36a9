"""Degradations of speech on its way to a kiosk: level, room, noise, telephone, codec, clipping, DC offset.

No degradation delays the speech relative to its phones.
"""

from collections.abc import Callable

import numpy as np
import soxr
from numpy.typing import NDArray

from mien.audio.opus import OpusDecoder, OpusEncoder

from .paths import RATE_HZ
from .timbre import changed

Sound = NDArray[np.float64]
Draw = np.random.Generator


def degrade(sound: Sound, draw: Draw) -> NDArray[np.int16]:
    """Float speech (+-1) -> int16 at a random level, after a random chain of the degradations below."""
    loud = sound / (np.abs(sound).max() + 1e-9)
    for share, change in _CHANGES:
        if draw.random() < share:
            loud = change(loud, draw)
    peak_db = -draw.uniform(1, 12) if draw.random() < 0.65 else -draw.uniform(12, 38)
    loud = loud / (np.abs(loud).max() + 1e-9) * 10 ** (peak_db / 20)
    if draw.random() < 0.06:
        loud = loud + draw.uniform(-0.05, 0.05)
    return np.asarray(np.clip(np.rint(loud * 32767), -32768, 32767), dtype=np.int16)


def _other_voice(sound: Sound, draw: Draw) -> Sound:
    return changed(sound, draw.uniform(0.87, 1.15), max(0.0, draw.uniform(-0.3, 0.4)), draw)


def _room(sound: Sound, draw: Draw) -> Sound:
    # A direct path and an exponential tail: Polack's statistical room model (1988).
    decay_s, level = draw.uniform(0.1, 0.5), draw.uniform(0.05, 0.4)
    seconds = np.arange(int(decay_s * RATE_HZ)) / RATE_HZ
    tail = draw.standard_normal(len(seconds)) * np.exp(-6.9 * seconds / decay_s)
    tail[: int(0.002 * RATE_HZ)] = 0
    response = tail * level / (np.sqrt((tail**2).sum()) + 1e-9)
    response[0] = 1
    return _filtered(sound, response)


def _noise(sound: Sound, draw: Draw) -> Sound:
    shape = np.fft.rfft(draw.standard_normal(len(sound)))
    hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ) + 20
    noise = np.fft.irfft(shape * hz ** -draw.uniform(0, 1), len(sound))
    if draw.random() < 0.4:
        noise = noise * (1 + 0.8 * np.sin(2 * np.pi * draw.uniform(0.3, 4) * np.arange(len(sound)) / RATE_HZ))
    return sound + _at_snr(sound, noise, draw.uniform(8, 35))


def chords(samples: int, draw: Draw) -> Sound:
    """Synthetic music: a few voices of decaying harmonic notes on a beat."""
    seconds = np.arange(samples) / RATE_HZ
    music, beat_s = np.zeros(samples), draw.uniform(0.25, 0.6)
    envelope = np.exp(-3 * np.mod(seconds, beat_s) / beat_s)
    for _ in range(draw.integers(2, 5)):
        notes = 110 * 2 ** (draw.integers(0, 36, int(seconds[-1] / beat_s) + 1) / 12)
        hz = notes[(seconds / beat_s).astype(int)]
        for partial in (1, 2, 3, 4):
            music += np.sin(2 * np.pi * partial * hz * seconds) / partial ** draw.uniform(1, 2)
    result: Sound = music * envelope
    return result


def _music(sound: Sound, draw: Draw) -> Sound:
    return sound + _at_snr(sound, chords(len(sound), draw), draw.uniform(8, 25))


def _telephone(sound: Sound, draw: Draw) -> Sound:
    high_hz = 3400 if draw.random() < 0.5 else 3900
    low_hz = 300 if draw.random() < 0.4 else 60
    return _band(sound, low_hz, high_hz)


def _narrow(sound: Sound, draw: Draw) -> Sound:
    # The mu law of G.711 as a formula, at a random level.
    down = soxr.resample(sound, RATE_HZ, 8000) * draw.uniform(0.3, 1)
    companded = np.sign(down) * np.log1p(255 * np.minimum(1, np.abs(down))) / np.log(256)
    coarse = np.rint(companded * 127) / 127
    up = soxr.resample(np.sign(coarse) * ((256 ** np.abs(coarse)) - 1) / 255, 8000, RATE_HZ)
    return np.pad(up, (0, max(0, len(sound) - len(up))))[: len(sound)]


def opus(sound: Sound, bitrate: int) -> Sound:
    """Encode and decode with Opus at a bit rate, with the codec's delay removed."""
    loudest = np.abs(sound).max() + 1e-9
    encoder, decoder = OpusEncoder(RATE_HZ, bitrate), OpusDecoder(RATE_HZ)
    packets = encoder.encode_all(np.rint(sound / loudest * 29_000).astype(np.int16))
    heard = np.concatenate([decoder.decode(packet) for packet in packets])
    result: Sound = heard[encoder.lookahead :][: len(sound)] * (loudest / 29_000)
    return result


def _opus(sound: Sound, draw: Draw) -> Sound:
    return opus(sound, int(draw.integers(12_000, 32_001)))


def _coloured(sound: Sound, draw: Draw) -> Sound:
    # A random smooth frequency response within +-8 dB, as of another microphone or loudspeaker.
    hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    knots = np.geomspace(80, 8000, 7)
    decibels = np.interp(np.log(hz + 20), np.log(knots), draw.uniform(-8, 8, len(knots)))
    return np.fft.irfft(np.fft.rfft(sound) * 10 ** (decibels / 20), len(sound))


def _clipped(sound: Sound, draw: Draw) -> Sound:
    return np.clip(sound * draw.uniform(1, 4), -1, 1)


_CHANGES: tuple[tuple[float, Callable[[Sound, Draw], Sound]], ...] = (
    (0.35, _other_voice), (0.5, _coloured), (0.25, _room), (0.3, _noise), (0.08, _music), (0.15, _telephone),
    (0.12, _narrow), (0.06, _clipped), (0.1, _opus),
)  # fmt: skip


def _at_snr(sound: Sound, noise: Sound, snr_db: float) -> Sound:
    power = (sound**2).mean() * 2  # pauses lower the mean below the perceived level of the speech
    result: Sound = noise * np.sqrt(power / ((noise**2).mean() + 1e-12) / 10 ** (snr_db / 10))
    return result


def _filtered(sound: Sound, response: Sound) -> Sound:
    size = len(sound) + len(response)
    return np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(response, size), size)[: len(sound)]


def _band(sound: Sound, low_hz: float, high_hz: float) -> Sound:
    hz = np.fft.rfftfreq(len(sound), 1 / RATE_HZ)
    gain = 1 / (1 + (low_hz / (hz + 1)) ** 8) / (1 + (hz / high_hz) ** 16)
    return np.fft.irfft(np.fft.rfft(sound) * gain, len(sound))
