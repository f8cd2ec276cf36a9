"""Speech passes, whatever was done to it; what goes on like no speech does not."""

import numpy as np
import pytest

from mien.motion.features import FeatureConfig, FeatureStream
from mien.motion.pitch import STEP_SAMPLES
from mien.motion.speech_gate import SpeechGate

RATE_HZ = 16_000


def gains(sound: np.ndarray) -> np.ndarray:
    """The gate's gain at every step."""
    features, gate, made = FeatureStream(FeatureConfig()), SpeechGate(FeatureConfig().bands), []
    pcm = np.asarray(np.clip(sound, -1, 1) * 32767, dtype=np.int16)
    for at in range(0, len(pcm) - STEP_SAMPLES + 1, STEP_SAMPLES):
        step = pcm[at : at + STEP_SAMPLES]
        made.append(gate.step(features.step(step), step))
    return np.array(made)


def times(seconds: float) -> np.ndarray:
    return np.arange(int(seconds * RATE_HZ)) / RATE_HZ


def gliding(seconds: float) -> np.ndarray:
    """One vowel without a consonant, its melody going up and down: as little like speech as a voice gets."""
    hz = 140 * 2 ** (0.3 * np.sin(2 * np.pi * 0.8 * times(seconds)))
    phase = 2 * np.pi * np.cumsum(hz) / RATE_HZ
    return np.asarray(sum(np.sin(k * phase) / k for k in range(1, 20)) * 0.1)


def hiss(seconds: float, level: float) -> np.ndarray:
    return np.random.default_rng(1).standard_normal(int(seconds * RATE_HZ)) * level


def test_it_begins_open_and_silence_leaves_it_so() -> None:
    assert gains(np.zeros(4 * RATE_HZ)).min() == 1.0


@pytest.mark.parametrize("level", [0.01, 0.1])
def test_noise_closes_it_within_two_seconds_and_for_good(level: float) -> None:
    gain = gains(hiss(10, level))
    assert gain[:30].min() == 1.0
    assert gain[100:].max() == 0.0


def test_a_melody_that_glides_keeps_it_open_in_noise_and_a_held_tone_does_not() -> None:
    assert gains(gliding(6) + hiss(6, 0.01)).min() == 1.0
    held = sum(np.sin(2 * np.pi * 140 * k * times(6)) / k for k in range(1, 20)) * 0.1
    assert gains(held)[110:].max() == 0.0


def test_a_spectrum_that_changes_keeps_it_open_without_any_voice() -> None:
    """As whispered syllables do."""
    syllables = np.clip(np.sin(2 * np.pi * 4 * times(6)), 0, 1)
    assert gains(hiss(6, 0.1) * syllables).min() == 1.0


def test_what_begins_after_a_pause_is_let_through_at_once() -> None:
    gain = gains(np.concatenate([hiss(4, 0.1), np.zeros(RATE_HZ // 2), gliding(2)]))
    assert gain[195] == 0.0
    assert gain[231:].min() == 1.0


def test_a_voice_in_the_midst_of_noise_opens_it_within_half_a_second() -> None:
    gain = gains(hiss(8, 0.005) + np.concatenate([np.zeros(4 * RATE_HZ), gliding(4)]))
    assert gain[195] == 0.0
    assert gain[225:].min() == 1.0


def test_it_moves_smoothly_and_reset_forgets() -> None:
    sound = np.concatenate([hiss(4, 0.1), gliding(2), hiss(4, 0.1)])
    assert np.abs(np.diff(gains(sound))).max() <= 0.25 + 1e-9
    gate, features = SpeechGate(40), np.zeros((2, 40), dtype=np.float32)
    for _ in range(200):
        gate.step(features, np.zeros(STEP_SAMPLES, dtype=np.int16))
    assert gate.gain == 0.0
    gate.reset()
    assert gate.step(features, np.zeros(STEP_SAMPLES, dtype=np.int16)) == 1.0
