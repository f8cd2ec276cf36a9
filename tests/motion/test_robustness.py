"""What a kiosk does to speech must not undo the lips, and what is no speech must not move them.

Spoken by espeak-ng, which every machine of the project has. Thresholds leave room below what was measured.
"""

import subprocess
import wave
from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
import soxr

from mien.core.pose import CHANNEL_INDEX, SHAPE_COUNT, SPEECH_INDICES
from mien.motion.load import load_engine

RATE_HZ = 16_000
JAW = CHANNEL_INDEX["jawOpen"]
TEXT = "Please bring both my maps from the room above, before five people leave the farm by boat."


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    """Float, peak 0.9."""
    command = ["espeak-ng", "-v", "en-us+f2", "-s", "150", "--stdout", TEXT]
    said = subprocess.run(command, capture_output=True, check=True).stdout
    with wave.open(BytesIO(said)) as sound:
        pcm = np.frombuffer(said[44:], dtype="<i2").astype(np.float64)
        resampled = soxr.resample(pcm, sound.getframerate(), RATE_HZ)
    return np.asarray(resampled / np.abs(resampled).max() * 0.9)


def faces(sound: np.ndarray) -> np.ndarray:
    engine = load_engine()
    pcm = np.asarray(np.clip(np.rint(sound * 32767), -32768, 32767), dtype=np.int16)
    frames = np.concatenate([engine.push(pcm).copy(), engine.flush()])
    assert np.isfinite(frames).all()
    return frames


def alike(sound: np.ndarray, clean: np.ndarray) -> float:
    """The correlation of the two jaws."""
    return float(np.corrcoef(faces(sound)[:, JAW], faces(clean)[:, JAW])[0, 1])


def restless(sound: np.ndarray) -> float:
    """Mean movement of the mouth a second, over all of its shapes, once two seconds have passed."""
    frames = faces(sound)[200:, SPEECH_INDICES]
    return float(np.abs(np.diff(frames, axis=0)).sum(axis=1).mean() * 100)


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(int(seconds * RATE_HZ))


def music(seconds: float) -> np.ndarray:
    at = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    decay = np.exp(-4 * np.mod(at, 0.5))
    roots = 220 * 2 ** (np.array([0, 5, 7, 9, 4, 2, 0, 7])[(at / 0.5).astype(int) % 8] / 12)
    return np.asarray(sum(np.sin(2 * np.pi * roots * k * at) / k for k in (1, 1.25, 1.5, 2, 3)) * decay * 0.2)


def at_snr(sound: np.ndarray, other: np.ndarray, snr_db: float) -> np.ndarray:
    other = other[: len(sound)]
    return np.asarray(sound + other * np.sqrt((sound**2).mean() / (other**2).mean() / 10 ** (snr_db / 10)))


def telephone(sound: np.ndarray) -> np.ndarray:
    up = soxr.resample(soxr.resample(sound, RATE_HZ, 8000), 8000, RATE_HZ)
    spectrum = np.fft.rfft(up)
    spectrum[np.fft.rfftfreq(len(up), 1 / RATE_HZ) < 300] = 0
    return np.asarray(np.fft.irfft(spectrum, len(up)))


@pytest.mark.parametrize("decibels", [-10, -20, -30, -40])
def test_level_does_not_change_the_lips(speech: np.ndarray, decibels: float) -> None:
    assert alike(speech * 10 ** (decibels / 20), speech) > 0.9


@pytest.mark.parametrize(
    ("change", "least"),
    [
        (telephone, 0.75),
        (lambda s: np.clip(s * 4, -0.9, 0.9), 0.85),
        (lambda s: s * 0.5 + 0.1, 0.85),
        (lambda s: at_snr(s, noise(20), 10), 0.7),
        (lambda s: at_snr(s, music(20), 10), 0.7),
    ],
    ids=["telephone", "clipping", "offset", "noise at 10 dB", "music at 10 dB"],
)
def test_degraded_speech_keeps_its_jaw(
    speech: np.ndarray, change: Callable[[np.ndarray], np.ndarray], least: float
) -> None:
    assert alike(change(speech)[: len(speech)], speech) > least


@pytest.mark.parametrize(
    "sound",
    [
        np.zeros(10 * RATE_HZ),
        np.full(10 * RATE_HZ, 0.3),
        0.5 * np.sin(2 * np.pi * 440 * np.arange(10 * RATE_HZ) / RATE_HZ),
        0.05 * noise(10),
        music(10),
    ],
    ids=["silence", "offset", "tone", "noise", "music"],
)
def test_what_is_no_speech_hardly_moves_the_mouth(speech: np.ndarray, sound: np.ndarray) -> None:
    assert restless(sound) < 0.25 * restless(speech)


def test_two_minutes_of_noise_do_not_wear_the_model_out(speech: np.ndarray) -> None:
    frames = faces(np.concatenate([0.02 * noise(120), speech]))[-len(speech) // 160 :]
    assert np.corrcoef(frames[:, JAW], faces(speech)[-len(frames) :, JAW])[0, 1] > 0.8
    assert frames[:, :SHAPE_COUNT].max() <= 1
