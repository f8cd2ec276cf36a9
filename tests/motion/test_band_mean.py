"""A talker's mean is taken off the features, step by step."""

import numpy as np
from numpy.typing import NDArray

from mien.motion.band_mean import BandMean, BandMeanConfig

REFERENCE = np.linspace(-0.5, -1.5, 40)
CONFIG = BandMeanConfig(reference=REFERENCE.tolist())


def steps(mean: BandMean, levels: NDArray[np.float64], count: int) -> NDArray[np.float32]:
    step = np.stack([levels, levels]).astype(np.float32)
    return np.stack([mean.step(step).copy() for _ in range(count)])


def test_a_turn_begins_as_the_reference() -> None:
    silence = np.full(40, -3.5)
    assert np.allclose(steps(BandMean(CONFIG), silence, 1)[0], silence, atol=0.01)


def test_another_voice_moves_towards_the_reference_within_seconds() -> None:
    other = REFERENCE + np.linspace(-0.6, 0.6, 40)
    seen = steps(BandMean(CONFIG), other, 200)
    before, after = np.abs(other - REFERENCE).max(), np.abs(seen[-1, 0] - REFERENCE).max()
    assert after < 0.4 * before


def test_silence_says_nothing_of_the_talker() -> None:
    mean = BandMean(CONFIG)
    voice = steps(mean, REFERENCE + 0.5, 100)[-1]
    steps(mean, np.full(40, -3.5), 3)
    assert np.allclose(steps(mean, REFERENCE + 0.5, 1)[0], voice, atol=0.06)


def test_reset_forgets_the_talker() -> None:
    mean = BandMean(CONFIG)
    first = steps(mean, REFERENCE + 0.5, 50)
    mean.reset()
    assert np.array_equal(steps(mean, REFERENCE + 0.5, 50), first)
