"""What was said, cut to what a call can carry."""

import pytest

from mien.client._call import ALL, MOST, TEXT, make_call
from mien.core import wire


def texts(call):
    return [(spoken.who, spoken.text) for spoken in call.conversation]


def test_a_call_carries_the_question_the_language_and_the_conversation_in_order():
    call = make_call("Where?", "en", [("customer", "one"), ("kiosk", "two"), ("customer", "three")])
    assert (call.question, call.language, call.open) == ("Where?", "en", True)
    assert texts(call) == [("customer", "one"), ("kiosk", "two"), ("customer", "three")]


def test_of_a_long_conversation_the_newest_are_kept():
    call = make_call("", "", [("kiosk", str(number)) for number in range(40)])
    assert texts(call) == [("kiosk", str(number)) for number in range(40 - 24, 40)]
    assert MOST == 24


def test_long_texts_are_cut():
    call = make_call("q" * 501, "l" * 17, [("kiosk", "t" * 501)])
    assert (call.question, call.language) == ("q" * 500, "l" * 16)
    assert texts(call) == [("kiosk", "t" * 500)]
    assert TEXT == 500


@pytest.mark.parametrize("length", [299, 300, 301, 500])
def test_all_of_it_stays_within_three_thousand_characters(length):
    call = make_call("", "", [("customer", f"{number:02}".ljust(length, "x")) for number in range(20)])
    lengths = [len(text) for _, text in texts(call)]
    assert sum(lengths) == ALL == 3000
    assert lengths[1:] == [length] * len(lengths[1:])
    assert texts(call)[-1][1].startswith("19")
    wire.decode_client(wire.encode(call))


def test_an_empty_text_ends_what_is_kept():
    assert texts(make_call("", "", [("kiosk", "old"), ("kiosk", ""), ("kiosk", "new")])) == [("kiosk", "new")]
