"""The oracle of the turns, on synthetic conversations."""

import pytest

from chaos.turns import TurnBook
from mien.core import wire


@pytest.fixture
def wrong():
    return []


@pytest.fixture
def book(wrong):
    book = TurnBook(10.0, lambda *what: wrong.append(f"{what[0]} {what[1]}"))
    book.begin("bot-1", 1, "bot")
    return book


def finished(turn="bot-1", played_ms=500.0, reason="played"):
    return wire.Finished(turn=turn, played_ms=played_ms, interrupted=reason != "played", reason=reason)


def progress(played_ms):
    return wire.Progress(turn="bot-1", played_ms=played_ms, buffered_ms=0.0, credit_ms=0.0)


def test_a_turn_that_is_finished_once_is_well(book, wrong):
    book.event("bot", wire.Started(turn="bot-1", latency_ms=20.0))
    for played_ms in (100.0, 100.0, 300.0):
        book.event("bot", progress(played_ms))
    book.ended("bot-1", 5.0, 0.5)
    book.event("bot", finished())
    assert book.check(100.0) == []
    assert wrong == []
    assert book.fates == {"played": 1}


def test_a_second_finished_is_noticed(book, wrong):
    book.event("bot", finished())
    book.event("bot", finished(reason="interrupted"))
    assert wrong == ["turns finished twice"]


def test_a_second_started_is_noticed(book, wrong):
    for _ in range(2):
        book.event("bot", wire.Started(turn="bot-1", latency_ms=20.0))
    assert wrong == ["turns started twice"]


def test_a_turn_that_never_finishes_is_noticed_when_it_is_due(book):
    book.ended("bot-1", 5.0, 2.0)
    assert book.check(16.9) == []
    assert book.check(17.1) == ["bot-1 (reported as played: 0 ms, started: False)"]
    assert book.check(18.0) == []


def test_time_in_which_the_voice_was_stopped_is_not_its_fault(book):
    book.ended("bot-1", 5.0, 2.0)
    book.postpone(4.0)
    assert book.check(20.9) == []


@pytest.mark.parametrize("after", [progress(299.0), finished(played_ms=100.0)])
def test_played_ms_that_goes_back_is_noticed(book, wrong, after):
    book.event("bot", progress(300.0))
    book.event("bot", after)
    assert wrong == ["played_ms went back"]


def test_a_turn_that_was_refused_is_owed_nothing_and_may_not_finish(book, wrong):
    book.ended("bot-1", 5.0, 0.0)
    book.excuse("bot-1", "refused")
    assert book.check(100.0) == []
    assert wrong == []
    book.event("bot", finished())
    assert wrong == ["turns finished unbegun"]


def test_turns_of_a_lost_session_are_owed_nothing(book, wrong):
    book.begin("ada-2", 2, "ada")
    book.ended("bot-1", 5.0, 0.0)
    assert book.excuse_all("bot", "lost") == ["bot-1"]
    assert book.check(100.0) == []
    assert wrong == []
    assert (book.open_of("bot"), book.open_of("ada")) == (0, 1)


def test_what_another_client_is_told_is_not_about_this_turn(book):
    assert book.event("eye", finished()) is None
    assert book.open_of("bot") == 1


def test_the_books_are_bounded(book):
    for number in range(2, 3000):
        book.begin(f"bot-{number}", number, "bot")
        book.event("bot", finished(f"bot-{number - 1}"))
    assert len(book._turns) <= 513
    assert book.begun == 2999
