"""The soak's conversations."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from hil.conversation import caption, conversation, monologue


@given(st.integers(0, 10**6))
def test_one_seed_is_one_conversation(seed):
    assert list(conversation(seed, 60)) == list(conversation(seed, 60))


@given(st.integers(0, 10**6))
def test_it_is_as_long_as_asked_for_and_every_act_can_be_done(seed):
    acts = list(conversation(seed, 120))
    assert 120 <= sum(act.after_s + act.length_s for act in acts) < 145
    assert all(act.after_s > 0 and act.length_s >= 0 for act in acts)


def test_all_kinds_come_in_an_hour():
    kinds = Counter(act.kind for act in conversation(1, 3600))
    assert set(kinds) == {
        "speak",
        "interrupt",
        "state",
        "emotion",
        "gesture",
        "take_floor",
        "pause",
        "reconnect",
        "look",
    }
    assert kinds["speak"] > kinds["interrupt"] > kinds["reconnect"] > 0


def test_a_monologue_is_turns_back_to_back():
    acts = list(monologue(1, 120))
    assert {act.kind for act in acts} == {"speak"}
    assert sum(act.length_s for act in acts) > 0.97 * 120


@given(st.integers(0, 10**6))
def test_a_caption_is_as_many_words_as_are_said_in_its_time_and_every_turn_says_others(seed):
    words = caption(seed, 6.0)
    assert words == caption(seed, 6.0)
    assert 15 <= len(words) <= 18
    assert all(2 <= len(word) <= 11 and word.isprintable() and " " not in word for word in words)
    assert set(words).isdisjoint(caption(seed + 1, 6.0)) or len(set(words) & set(caption(seed + 1, 6.0))) < 4


def test_captions_are_in_several_scripts():
    letters = {letter for seed in range(50) for word in caption(seed, 6.0) for letter in word}
    assert any("a" <= letter <= "z" for letter in letters)
    assert any("\u0430" <= letter <= "\u044f" for letter in letters)
