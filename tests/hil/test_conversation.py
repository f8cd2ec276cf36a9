"""The soak's conversations."""

from collections import Counter

from hil.conversation import conversation
from hypothesis import given
from hypothesis import strategies as st


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
