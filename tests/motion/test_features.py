"""Features: level, silence, determinism, mean normalisation."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.motion.features import BandMean, BandMeanConfig, FeatureConfig, FeatureStream, mel_weights

CONFIG = FeatureConfig()


def run(pcm: np.ndarray) -> np.ndarray:
    stream = FeatureStream(CONFIG)
    steps = pcm[: len(pcm) // CONFIG.step_samples * CONFIG.step_samples].reshape(-1, CONFIG.step_samples)
    return np.stack([stream.step(step).copy() for step in steps])


def vowel(seconds: float, amplitude: float) -> np.ndarray:
    at = np.arange(int(seconds * CONFIG.rate_hz)) / CONFIG.rate_hz
    tone = sum(np.sin(2 * np.pi * 140 * k * at) / k for k in range(1, 40))
    return np.asarray(tone / np.abs(tone).max() * amplitude * 32767, dtype=np.int16)


def test_each_band_answers_to_its_own_frequency() -> None:
    weights = mel_weights(CONFIG)
    centres = weights.argmax(axis=0)
    assert (np.diff(centres) >= 0).all()
    for band in (8, 20, 35):
        hz = centres[band] * CONFIG.rate_hz / CONFIG.fft
        at = np.arange(3200) / CONFIG.rate_hz
        pcm = np.asarray(np.sin(2 * np.pi * hz * at) * 8000, dtype=np.int16)
        assert abs(int(run(pcm)[-1, 1].argmax()) - band) <= 1


@pytest.mark.parametrize("decibels", [-40, -26, -12])
def test_level_hardly_matters_once_the_speaker_is_known(decibels: float) -> None:
    loud, quiet = run(vowel(1.5, 0.9)), run(vowel(1.5, 0.9 * 10 ** (decibels / 20)))
    heard = loud[-10:] > -2
    assert np.abs(loud[-10:] - quiet[-10:])[heard].max() < 0.15


def test_silence_is_the_same_step_for_ever() -> None:
    steps = run(np.zeros(160_000, dtype=np.int16))
    np.testing.assert_array_equal(steps[-1], steps[-100])
    assert steps.min() >= CONFIG.clip_low


def test_a_step_is_two_hops_of_one_continuous_sound() -> None:
    pcm = vowel(0.4, 0.5)
    shifted = np.concatenate([np.zeros(CONFIG.hop, dtype=np.int16), pcm])
    # Shifted by one hop, the second frame of a step becomes the first frame of the next.
    a, b = run(pcm), run(shifted)
    np.testing.assert_allclose(a[10, 0] - a[10, 0].mean(), b[10, 1] - b[10, 1].mean(), atol=1e-2)


def test_reset_forgets() -> None:
    stream, pcm = FeatureStream(CONFIG), vowel(0.2, 0.3)
    first = stream.step(pcm[: CONFIG.step_samples]).copy()
    stream.step(pcm[CONFIG.step_samples : 2 * CONFIG.step_samples])
    stream.reset()
    np.testing.assert_array_equal(stream.step(pcm[: CONFIG.step_samples]), first)


REFERENCE = np.linspace(-0.5, -1.5, 40)
MEAN_CONFIG = BandMeanConfig(reference=REFERENCE.tolist())


def means(mean: BandMean, levels: NDArray[np.float64], count: int) -> NDArray[np.float32]:
    step = np.stack([levels, levels]).astype(np.float32)
    return np.stack([mean.step(step).copy() for _ in range(count)])


def test_a_turn_begins_with_the_reference_mean() -> None:
    silence = np.full(40, -3.5)
    assert np.allclose(means(BandMean(MEAN_CONFIG), silence, 1)[0], silence, atol=0.01)


def test_another_voice_moves_towards_the_reference_within_seconds() -> None:
    other = REFERENCE + np.linspace(-0.6, 0.6, 40)
    seen = means(BandMean(MEAN_CONFIG), other, 200)
    before, after = np.abs(other - REFERENCE).max(), np.abs(seen[-1, 0] - REFERENCE).max()
    assert after < 0.4 * before


def test_silence_does_not_affect_the_mean() -> None:
    mean = BandMean(MEAN_CONFIG)
    voice = means(mean, REFERENCE + 0.5, 100)[-1]
    means(mean, np.full(40, -3.5), 3)
    assert np.allclose(means(mean, REFERENCE + 0.5, 1)[0], voice, atol=0.06)


def test_reset_discards_the_mean() -> None:
    mean = BandMean(MEAN_CONFIG)
    first = means(mean, REFERENCE + 0.5, 50)
    mean.reset()
    assert np.array_equal(means(mean, REFERENCE + 0.5, 50), first)


def test_what_a_manifest_does_not_say_is_what_the_shipped_models_were_trained_with() -> None:
    known = FeatureConfig()
    assert (known.rate_hz, known.hop, known.window, known.fft, known.bands) == (16_000, 160, 400, 512, 40)
    assert (known.low_hz, known.high_hz, known.tilt_hz, known.floor) == (60.0, 7_600.0, 500.0, -18.0)
    assert (known.level_start, known.level_floor, known.level_attack, known.level_decay) == (-11.5, -13.5, 0.5, 0.016)
    assert (known.spread, known.clip_low, known.clip_high) == (3.0, -3.5, 1.0)
    assert (known.step_samples, known.width) == (320, 80)
