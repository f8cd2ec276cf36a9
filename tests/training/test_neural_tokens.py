"""Phones are converted to an engine's alphabet, its tokens back to timed phones."""

import numpy as np

from training.neural import Token, spell, timed

RATE_HZ = 1000


def test_words_are_spelled_with_stress_first_and_gaps_between() -> None:
    words = [["m", "ˈaɪ"], ["dʒ", "uː"]]
    alphabet = frozenset("mIʤuː ˈ")
    assert spell(words, alphabet, {"aɪ": "I", "dʒ": "ʤ"}) == ["m", "ˈ", "I", " ", "ʤ", "u", "ː"]


def test_marks_join_their_phone() -> None:
    tokens = [Token("m", 0.1), Token("ˈ", 0.1), Token("u", 0.1), Token("ː", 0.1)]
    found = timed(tokens, np.ones(400, dtype=np.float32), RATE_HZ)
    assert [(ipa, round(start, 3), round(end, 3)) for ipa, start, end in found] == [("m", 0.0, 0.1), ("u", 0.1, 0.4)]


def test_a_gap_is_a_pause_only_where_it_is_quiet() -> None:
    tokens = [Token("a", 0.1), Token("", 0.1), Token("p", 0.1)]
    loud, paused = np.ones(300, dtype=np.float32), np.ones(300, dtype=np.float32)
    paused[100:200] = 0
    assert [ipa for ipa, _, _ in timed(tokens, loud, RATE_HZ)] == ["a", "p"]
    assert [ipa for ipa, _, _ in timed(tokens, paused, RATE_HZ)] == ["a", "", "p"]


def test_kokoros_letters_come_back_as_ipa() -> None:
    assert timed([Token("W", 0.2)], np.ones(200, dtype=np.float32), RATE_HZ) == [("aʊ", 0.0, 0.2)]
