"""Word times, from the client's or by estimate."""

import numpy as np
import pytest

from mien.face.overlay.timing import LETTER_MS, MAX_MS, text_of, word_times_ms


def words_of(text):
    return [0, *[at + 1 for at, letter in enumerate(text) if letter == " "], len(text)]


def times(text, given=(), length_ms=0):
    return word_times_ms(text, words_of(text), given, length_ms).tolist()


def test_given_times_are_taken_as_they_are():
    given = (("good", 100, 300), ("day", 450, 700))
    assert times("Good day!", given, 800) == [100, 450]


def test_words_without_times_lie_between_those_that_have_them():
    given = (("One", 0, 200), ("three", 600, 900))
    first, second, third = times("One two three", given, 1000)
    assert (first, third) == (0, 600)
    assert 200 <= second < 600


def test_punctuation_and_case_do_not_matter_and_unknown_words_are_passed_over():
    given = (("HELLO", 50, 300), ("zebra", 310, 320), ("world.", 400, 800))
    assert times("Hello, world!", given, 900) == [50, 400]


def test_a_word_that_comes_twice_is_found_twice():
    given = (("no", 0, 100), ("no", 500, 600), ("yes", 900, 1000))
    assert times("No no yes", given) == [0, 500, 900]


def test_without_times_words_are_spread_over_the_turn_by_their_length():
    spread = times("a antidisestablishmentarianism b", length_ms=3000)
    assert spread[0] == 0
    assert spread[2] - spread[1] > 5 * (spread[1] - spread[0])
    assert spread[2] < 3000


def test_a_pause_is_left_at_a_full_stop():
    flowing = np.diff(times("one two six ten", length_ms=2000))
    halting = np.diff(times("one two. six ten", length_ms=2000))
    assert halting[1] > 1.5 * flowing[1]


def test_a_chinese_character_takes_as_long_as_a_syllable():
    text = "早上好"
    assert np.diff(word_times_ms(text, [0, 1, 2, 3], (), 0)).tolist() == [3 * LETTER_MS] * 2


def test_without_a_length_the_pace_is_that_of_speech():
    text = " ".join(["speaking"] * 17)
    assert 6000 < times(text)[-1] < 11000  # 17 words at 100 to 170 per minute


@pytest.mark.parametrize(
    "given",
    [
        (("good", 900, 100), ("day", 50, 20)),
        (("day", 0, 10), ("good", 20, 30)),
        (("good", 10**9, 10**12), ("day", 0, 0)),
        (("", 0, 0), (" ", 5, 5), ("...", 1, 2)),
        (("good day good day", 0, 5),),
    ],
)
def test_nonsense_gives_times_that_never_fall(given):
    found = np.array(times("good day", given, 500))
    assert len(found) == 2
    assert (np.diff(found) >= 0).all()
    assert found.min() >= 0
    assert found.max() <= MAX_MS


def test_no_text_has_no_times():
    assert word_times_ms("", [0], (("a", 0, 1),), 100).tolist() == []


def test_words_alone_make_a_text():
    assert text_of((("Good", 0, 1), ("day.", 1, 2))) == "Good day."
    assert text_of((("早上", 0, 1), ("好", 1, 2))) == "早上好"
    assert text_of(()) == ""
