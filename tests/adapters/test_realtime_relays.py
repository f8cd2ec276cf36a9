"""Texts that staff relay to a speech-to-speech service: when they are asked for, and what becomes of each."""

from mien.adapters.realtime.relays import MOST_WAITING, SILENT, TOO_MANY, Done, Relays
from mien.client import Relayed


def text(name="r1"):
    return Relayed(kind="say", text=f"text of {name}", sender="Ada", id=name)


def asked(relayed=None):
    relays = Relays()
    relays.add(relayed or text())
    relays.next()
    relays.begun()
    return relays


def test_a_text_is_said_once_its_item_was_heard():
    relays = asked()
    relays.sound("item")
    assert relays.answered(cancelled=False, failed="") == []
    assert relays.busy
    assert relays.heard("item", cut=False) == [Done(text(), "said")]
    assert not relays.busy


def test_an_item_heard_before_the_answer_is_complete_is_told_once():
    relays = asked()
    relays.sound("item")
    assert relays.heard("item", cut=False) == [Done(text(), "said")]
    assert relays.answered(cancelled=False, failed="") == []


def test_of_two_items_the_last_decides_unless_one_is_cut():
    relays = asked()
    relays.sound("a")
    relays.sound("b")
    relays.answered(cancelled=False, failed="")
    assert relays.heard("a", cut=False) == []
    assert relays.heard("b", cut=False) == [Done(text(), "said")]
    relays = asked()
    relays.sound("a")
    relays.sound("b")
    assert relays.heard("a", cut=True) == [Done(text(), "cut")]
    assert relays.heard("b", cut=True) == []


def test_an_answer_without_sound_says_why():
    assert asked().answered(cancelled=True, failed="") == [Done(text(), "cut")]
    assert asked().answered(cancelled=False, failed="rate limit") == [Done(text(), "unused", "rate limit")]
    assert asked().answered(cancelled=False, failed="") == [Done(text(), "unused", SILENT)]


def test_an_answer_to_somebody_else_changes_nothing():
    relays = Relays()
    relays.begun()
    relays.sound("item")
    assert relays.answered(cancelled=False, failed="") == []
    relays.add(text())
    relays.next()
    assert relays.answered(cancelled=True, failed="") == []  # the one that was cancelled for it
    assert relays.heard("item", cut=True) == []
    assert relays.busy


def test_a_request_that_was_refused_is_asked_for_again():
    relays = asked()
    assert not relays.waits
    relays.again()
    assert relays.waits
    assert relays.next() == "text of r1"


def test_texts_wait_for_the_floor_and_too_many_are_declined():
    relays = Relays()
    relays.held = True
    for number in range(MOST_WAITING):
        assert relays.add(text(f"r{number}")) == []
    assert relays.add(text("more")) == [Done(text("more"), "unused", TOO_MANY)]
    assert not relays.waits
    relays.held = False
    assert relays.waits
    assert relays.next() == "text of r0"


def test_a_lost_service_is_asked_again_only_for_what_it_had_not_begun():
    relays = asked()
    relays.lost()
    assert relays.waits
    relays = asked()
    relays.sound("item")
    relays.lost()
    assert not relays.waits
    assert relays.heard("item", cut=False) == [Done(text(), "said")]


def test_a_lost_voice_has_nobody_to_tell():
    relays = asked()
    relays.sound("item")
    relays.add(text("r2"))
    relays.forget()
    assert relays.answered(cancelled=True, failed="") == []
    assert relays.heard("item", cut=True) == []
    assert not relays.waits
