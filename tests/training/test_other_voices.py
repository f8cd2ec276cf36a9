"""Voice variation keeps pitch; it keeps timing too."""

import numpy as np
import pytest
from numpy.typing import NDArray

from training.timbre import changed

RATE_HZ, PITCH_HZ, FORMANT_HZ = 16_000, 125, 1000


def vowel(seconds: float = 1.0) -> NDArray[np.float64]:
    """Pulses through one resonance."""
    count = int(seconds * RATE_HZ)
    pulses = np.zeros(count)
    pulses[:: RATE_HZ // PITCH_HZ] = 1
    hz = np.fft.rfftfreq(count, 1 / RATE_HZ)
    voice = np.fft.irfft(np.fft.rfft(pulses) / (1 + ((hz - FORMANT_HZ) / 120) ** 2), count)
    return np.asarray(0.5 * voice / np.abs(voice).max())


def harmonics(sound: NDArray[np.float64]) -> NDArray[np.float64]:
    """The strength of each multiple of the pitch, from the first."""
    power = np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) ** 2
    step = PITCH_HZ * len(sound) // RATE_HZ
    return np.array([power[k * step - 2 : k * step + 3].sum() for k in range(1, 30)])


def test_nothing_changes_by_a_factor_of_one() -> None:
    voice = vowel()
    assert np.abs(changed(voice, 1.0, 0.0, np.random.default_rng(0)) - voice).max() < 0.01


@pytest.mark.parametrize("stretch", [0.85, 1.15])
def test_formants_move_and_the_pitch_does_not(stretch: float) -> None:
    voice = vowel()
    other = changed(voice, stretch, 0.0, np.random.default_rng(0))
    strengths = harmonics(other)
    hz = PITCH_HZ * np.arange(1, 30)
    centre = (strengths * hz).sum() / strengths.sum()
    assert centre == pytest.approx(stretch * FORMANT_HZ, rel=0.07)  # harmonics are 125 Hz apart
    between = np.abs(np.fft.rfft(other * np.hanning(len(other)))) ** 2
    assert strengths.sum() > 0.95 * between.sum()  # nothing between the harmonics: the pitch is the same


def test_breath_is_heard_at_high_frequencies_and_only_in_speech() -> None:
    voice = np.concatenate([vowel(0.5), np.zeros(RATE_HZ // 2)])
    other = changed(voice, 1.0, 0.5, np.random.default_rng(0))
    half = RATE_HZ // 2
    added = np.abs(np.fft.rfft((other - voice)[:half])) ** 2
    # The envelope falls off above its formant. Breath is compared with the voice there and far above.
    own = np.abs(np.fft.rfft(voice[:half])) ** 2
    near, far = slice(400, 600), slice(2000, 3500)
    assert added[far].sum() / own[far].sum() > 2 * added[near].sum() / own[near].sum()
    assert np.abs(other[half + 1024 :]).max() < 1e-3
