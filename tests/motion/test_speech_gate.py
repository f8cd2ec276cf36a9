"""The speech gate: degraded speech passes, sustained other sounds do not."""

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
    """One vowel with a gliding pitch, the least speech-like voice."""
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
    """As in whispered syllables."""
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


class Played:
    """A gate with spectra of a chosen rate of change, and noise, which has no pitch."""

    def __init__(self) -> None:
        self._gate = SpeechGate(8)
        self._noise = (hiss(1, 0.1) * 32767).astype(np.int16)
        self._step = 0

    def play(self, change: float, steps: int, level: float = 0.0) -> list[float]:
        """Feed steps whose bands differ by `change` from those three steps earlier. Returns the gains."""
        made = []
        for _ in range(steps):
            row = np.full((2, 8), level + change * (self._step // 3 % 2), dtype=np.float32)
            at = self._step * STEP_SAMPLES % (RATE_HZ - STEP_SAMPLES)
            made.append(self._gate.step(row, self._noise[at : at + STEP_SAMPLES]))
            self._step += 1
        return made

    def rest(self, steps: int) -> float:
        """Feed inaudible steps."""
        return self.play(0.0, steps, level=-1.6)[-1]


def test_once_shut_it_needs_more_than_what_would_have_kept_it_open() -> None:
    """A change between the two thresholds (.5 and .9) leaves the gate as it was, so that a band cannot toggle it."""
    kept = Played()
    assert min(kept.play(0.7, 400)) == 1.0
    shut = Played()
    shut.play(0.2, 200)
    assert max(shut.play(0.7, 400)) == 0.0
    assert shut.play(1.4, 200)[-1] == 1.0
    assert min(shut.play(0.7, 400)) == 1.0
    assert shut.play(0.2, 300)[-1] == 0.0


@pytest.mark.parametrize(("silent_steps", "opens"), [(1, False), (7, False), (8, True), (50, True)])
def test_a_pause_of_160_ms_makes_it_listen_anew_and_a_shorter_one_does_not(silent_steps: int, opens: bool) -> None:
    gate = Played()
    gate.play(0.2, 200)
    assert gate.rest(silent_steps) == 0.0
    assert (gate.play(0.1, 6)[-1] == 1.0) is opens


def test_pauses_do_not_add_up() -> None:
    gate = Played()
    gate.play(0.2, 200)
    for _ in range(6):
        gate.rest(4)
        assert gate.play(0.2, 3)[-1] == 0.0


def test_it_opens_in_80_ms_and_closes_in_400() -> None:
    gate = Played()
    falling = gate.play(0.2, 200)
    shut = falling.index(0.0)
    assert falling[shut - 20] == 1.0
    np.testing.assert_allclose(np.diff(falling[shut - 20 : shut + 1]), -0.05, atol=1e-9)
    gate.rest(8)
    assert gate.play(0.2, 4) == pytest.approx([0.25, 0.5, 0.75, 1.0])


def test_after_a_pause_noise_is_given_as_long_as_at_the_start() -> None:
    gate = Played()
    first = gate.play(0.2, 200).index(0.0)
    gate.rest(8)
    again = gate.play(0.2, 200)
    assert abs(again.index(0.0, 10) - first) <= 20
