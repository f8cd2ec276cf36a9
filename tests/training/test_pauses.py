"""Phones do not reach into pauses."""

import numpy as np

from training.pauses import hushed, pauses

RATE_HZ = 16_000


def speech_pause_speech(pause_s: float) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    speech = (8000 * np.sin(np.arange(RATE_HZ // 2) * 0.2)).astype(np.int16)
    return np.concatenate([speech, np.zeros(int(pause_s * RATE_HZ), dtype=np.int16), speech])


def test_a_vowel_that_is_labelled_into_a_pause_ends_where_the_pause_begins() -> None:
    kept = hushed([("a", 0.0, 0.9), ("m", 0.9, 1.4)], speech_pause_speech(0.4))
    assert [ipa for ipa, _, _ in kept] == ["a", "m"]
    assert np.allclose([(s, e) for _, s, e in kept], [(0.0, 0.53), (0.9, 1.4)])


def test_a_phone_around_a_pause_keeps_both_ends() -> None:
    kept = hushed([("a", 0.0, 1.4)], speech_pause_speech(0.4))
    assert np.allclose([(s, e) for _, s, e in kept], [(0.0, 0.53), (0.87, 1.4)])


def test_a_stop_that_is_shut_is_no_pause() -> None:
    phones = [("a", 0.0, 0.5), ("p", 0.5, 0.65), ("a", 0.65, 1.15)]
    assert pauses(speech_pause_speech(0.15)) == []
    assert hushed(phones, speech_pause_speech(0.15)) == phones


def test_a_phone_that_lies_in_a_pause_goes() -> None:
    assert [ipa for ipa, _, _ in hushed([("a", 0.0, 0.5), ("t", 0.6, 0.7)], speech_pause_speech(0.4))] == ["a"]
