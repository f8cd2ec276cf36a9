"""The lateness of labels is measured against the sound, then corrected."""

import numpy as np
import pytest

from training.corpus import Utterance
from training.timing import centred, lateness_s, shifted

RATE_HZ = 16_000


def vowels_and_stops(late_s: float, count: int = 80) -> Utterance:
    """A buzz with regular gaps of 80 ms, with late labels."""
    rng, sound, phones = np.random.default_rng(0), [], []
    at = 0.0
    for _ in range(count):
        for ipa, seconds in (("a", float(rng.uniform(0.12, 0.2))), ("t", 0.08)):
            samples = round(seconds * RATE_HZ)
            level = 6000.0 if ipa == "a" else 20.0
            sound.append(level * rng.standard_normal(samples))
            phones.append((ipa, at + late_s, at + samples / RATE_HZ + late_s))
            at += samples / RATE_HZ
    pcm = np.clip(np.concatenate(sound), -32768, 32767).astype(np.int16)
    return Utterance("made", "made", "none", "0", pcm, phones)


@pytest.mark.parametrize("late_s", [-0.03, 0.0, 0.02, 0.05])
def test_lateness_is_found(late_s: float) -> None:
    assert lateness_s([vowels_and_stops(late_s)]) == pytest.approx(late_s, abs=0.005)


def test_labels_are_put_where_the_sound_changes() -> None:
    moved = centred([vowels_and_stops(0.04)])
    assert lateness_s(moved) == pytest.approx(0.0, abs=0.005)


def test_too_few_boundaries_say_nothing() -> None:
    assert lateness_s([vowels_and_stops(0.04, count=5)]) == 0.0


def test_nothing_is_moved_before_the_start() -> None:
    assert shifted([("p", 0.01, 0.02), ("a", 0.02, 0.3)], -0.05) == [("a", 0.0, 0.25)]
