"""Sounds other than speech, at which the mouth must stay at rest: noise, hum, tones, clicks, music."""

from collections.abc import Callable

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from . import corpus
from .augment import Draw, Sound, chords
from .corpus import Utterance
from .paths import RATE_HZ, ROOT

SECONDS = 7
_MUSIC = ROOT / "usr/share/asterisk/moh"


def generate(minutes: float, seed: int = 3) -> None:
    """Write the source "noises", with every kind equally often."""
    draw, made = np.random.default_rng(seed), []
    for index in range(int(minutes * 60 / SECONDS)):
        kind = _KINDS[index % len(_KINDS)]
        sound = kind(draw)
        pcm = np.asarray(sound / (np.abs(sound).max() + 1e-9) * 20_000, dtype=np.int16)
        made.append(Utterance("noises", f"noises-{kind.__name__}", "none", f"{index}", pcm, []))
    corpus.write("noises", made)


def _times() -> NDArray[np.float64]:
    return np.arange(SECONDS * RATE_HZ) / RATE_HZ


def _coloured(draw: Draw) -> Sound:
    shape = np.fft.rfft(draw.standard_normal(SECONDS * RATE_HZ))
    hz = np.fft.rfftfreq(SECONDS * RATE_HZ, 1 / RATE_HZ) + 20
    return np.fft.irfft(shape * hz ** -draw.uniform(-0.3, 1.2), SECONDS * RATE_HZ)


def _surging(draw: Draw) -> Sound:
    # Traffic, wind, waves: noise of varying strength.
    knots = draw.uniform(-5, 0, SECONDS * 3)
    wander = np.exp(np.interp(_times() * 3, np.arange(len(knots)), knots))
    result: Sound = _coloured(draw) * wander
    return result


def _hum(draw: Draw) -> Sound:
    base_hz = draw.choice([50, 60, 100, draw.uniform(40, 400)])
    strengths = draw.uniform(0, 1, 25) ** 2
    result: Sound = sum(s * np.sin(2 * np.pi * base_hz * (k + 1) * _times()) for k, s in enumerate(strengths)) + 0.0
    return result


def _tone(draw: Draw) -> Sound:
    on = np.repeat(draw.random(SECONDS * 4) < 0.7, RATE_HZ // 4)
    pitch_hz = np.repeat(draw.uniform(100, 3000, SECONDS), RATE_HZ) if draw.random() < 0.6 else draw.uniform(80, 4000)
    result: Sound = np.sin(2 * np.pi * np.cumsum(np.broadcast_to(pitch_hz, on.shape)) / RATE_HZ) * on
    return result


def _clicks(draw: Draw) -> Sound:
    sound = 0.002 * draw.standard_normal(SECONDS * RATE_HZ)
    for at in draw.integers(0, len(sound) - 2000, draw.integers(5, 40)):
        length = draw.integers(20, 2000)
        sound[at : at + length] += draw.standard_normal(length) * np.exp(-5 * np.arange(length) / length)
    return sound


def _music(draw: Draw) -> Sound:
    return chords(SECONDS * RATE_HZ, draw)


def _recorded(draw: Draw) -> Sound:
    """An excerpt of the hold music of asterisk-moh-opsound-wav. The last track is reserved for tests."""
    tracks = sorted(_MUSIC.glob("*.wav"))[:-1]
    path = tracks[draw.integers(0, len(tracks))]
    info = soundfile.info(path)
    rate_hz, first = info.samplerate, draw.integers(0, info.frames - SECONDS * info.samplerate)
    sound, _ = soundfile.read(path, start=first, frames=SECONDS * rate_hz)
    return np.asarray(soxr.resample(sound, rate_hz, RATE_HZ)[: SECONDS * RATE_HZ])


_KINDS: tuple[Callable[[Draw], Sound], ...] = (
    _coloured, _surging, _hum, _tone, _clicks, _music, _recorded, _recorded
)  # fmt: skip

if __name__ == "__main__":
    generate(14)
