"""Phones that arrive before their turns: bounded, refused with the reason, claimed once."""

import pytest

from mien.core.wire import MAX_PHONE_WORDS, Phones, PhoneWord
from mien.errors import ProtocolError
from mien.voice.phones import BYTES_EACH, WORD_BYTES, EarlyPhones

A = (PhoneWord("a"),)
HEAVY = (PhoneWord("m" * 100),)
HEAVY_BYTES = WORD_BYTES + 200


class Begun:
    """A turn that has begun."""

    def __init__(self, phones=()):
        self.phones = phones


@pytest.fixture
def early():
    return EarlyPhones(limit=3)


def test_they_are_joined_and_claimed_once(early):
    early.take(b"x", None, Phones(turn="t", words=A))
    early.take(b"x", None, Phones(turn="t", words=A))
    assert early.claim(b"y", "t") == ()
    assert early.claim(b"x", "t") == A * 2
    assert early.claim(b"x", "t") == ()


def test_a_turn_that_has_begun_gets_them_itself(early):
    turn = Begun(A)
    early.take(b"x", turn, Phones(turn="t", words=A), [turn])
    assert turn.phones == A * 2
    assert early.claim(b"x", "t") == ()


def test_too_many_words_for_a_turn_are_refused_for_good_and_change_nothing(early):
    early.take(b"x", None, Phones(turn="t", words=A * MAX_PHONE_WORDS))
    with pytest.raises(ProtocolError) as refused:
        early.take(b"x", None, Phones(turn="t", words=A))
    assert (refused.value.code, refused.value.turn, refused.value.retryable) == ("phones_too_long", "t", False)
    assert str(MAX_PHONE_WORDS) in str(refused.value)
    assert early.claim(b"x", "t") == A * MAX_PHONE_WORDS


def test_while_other_turns_take_the_room_they_may_come_later(early):
    fits = BYTES_EACH // HEAVY_BYTES
    other, turn = Begun(HEAVY * (fits - 1)), Begun()
    early.take(b"x", turn, Phones(turn="t", words=HEAVY), [other, turn])
    with pytest.raises(ProtocolError) as refused:
        early.take(b"x", turn, Phones(turn="t", words=HEAVY), [other, turn])
    assert (refused.value.code, refused.value.turn, refused.value.retryable) == ("phones_too_long", "t", True)
    assert turn.phones == HEAVY
    early.take(b"x", turn, Phones(turn="t", words=HEAVY), [turn])
    assert turn.phones == HEAVY * 2


def test_the_oldest_turns_give_way(early):
    for name in "abcd":
        early.take(b"x", None, Phones(turn=name, words=A))
    assert [early.claim(b"x", name) for name in "abcd"] == [(), A, A, A]


def test_a_client_that_leaves_takes_its_own_along(early):
    early.take(b"x", None, Phones(turn="t", words=A))
    early.take(b"y", None, Phones(turn="t", words=A))
    early.leave(b"x")
    assert early.claim(b"x", "t") == ()
    assert early.claim(b"y", "t") == A
