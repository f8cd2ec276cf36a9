"""Phones that adapters send beside the speech: whole words, in order, never in its way."""

import asyncio
import threading

import pytest

from mien.adapters import guide
from mien.adapters.guide import Guide
from mien.client import ClientError
from mien.client.phones import MOST_WORDS, PhonesError, TimedPhones


class Turn:
    """A turn that keeps what it is told."""

    def __init__(self, error=None):
        self.over = False
        self.told = []
        self._error = error

    async def phones(self, words):
        if self._error is not None:
            raise self._error
        self.told += words

    @property
    def said(self):
        return [word.phones for word in self.told]


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    """Every word is its own phones. Returns what was asked for."""
    asked = []

    def of_text(text, language):
        asked.append((text, language))
        return [TimedPhones(word) for word in text.split()]

    def of_words(words, language):
        asked.append((words, language))
        return [TimedPhones(*word) for word in words]

    monkeypatch.setattr(guide, "phones_of_text", of_text)
    monkeypatch.setattr(guide, "phones_of_words", of_words)
    monkeypatch.setattr(guide, "GATHER_S", 0.001)
    monkeypatch.setattr(guide, "LAST_S", 0.02)
    return asked


async def told(turn, count):
    async with asyncio.timeout(10):
        while len(turn.told) < count:
            await asyncio.sleep(0.001)


def test_text_in_pieces_is_told_in_whole_words_and_in_order():
    async def talk():
        turn, speaking = Turn(), Guide("de")
        for piece in ("Gut", "en Mor", "gen, wie ge", "ht es?"):
            speaking.text(turn, piece)
            await asyncio.sleep(0.005)
        await told(turn, 5)
        await speaking.close()
        return turn.said

    assert asyncio.run(talk()) == ["Guten", "Morgen,", "wie", "geht", "es?"]


def test_a_last_word_without_punctuation_is_told_too(asked):
    async def talk():
        turn, speaking = Turn(), Guide("en")
        speaking.text(turn, "Good morning")
        await told(turn, 2)
        await speaking.close()
        return turn.said

    assert asyncio.run(talk()) == ["Good", "morning"]
    assert [text for text, _ in asked] == ["Good ", "morning"]


def test_words_with_times_keep_them_and_text_behind_them_says_nothing_new():
    async def talk():
        turn, speaking = Turn(), Guide("en")
        speaking.words(turn, [("Hi", 0, 180)])
        speaking.text(turn, "Hi there. ")
        speaking.words(turn, [("there", 200, 540)])
        await told(turn, 2)
        await speaking.close()
        return turn.told

    assert asyncio.run(talk()) == [TimedPhones("Hi", 0, 180), TimedPhones("there", 200, 540)]


def test_it_never_waits_for_the_phones(monkeypatch):
    """A call returns while espeak-ng still works, and so does the event loop."""
    asked, answered = threading.Event(), threading.Event()

    def slow(text, _):
        asked.set()
        answered.wait(10)
        return [TimedPhones(text.strip())]

    monkeypatch.setattr(guide, "phones_of_text", slow)

    async def talk():
        turn, speaking = Turn(), Guide("en")
        speaking.text(turn, "Hi. ")
        async with asyncio.timeout(10):
            while not asked.is_set():
                await asyncio.sleep(0.001)  # speech goes on here
        before = list(turn.told)
        answered.set()
        await told(turn, 1)
        await speaking.close()
        return before, turn.said

    assert asyncio.run(talk()) == ([], ["Hi."])


def test_a_turn_that_is_over_is_told_nothing_and_forgotten(asked):
    async def talk():
        first, second, speaking = Turn(), Turn(), Guide("en")
        speaking.text(first, "Hi. ")
        first.over = True
        speaking.text(second, "Ho. ")
        await told(second, 1)
        await speaking.close()
        return first.told

    assert asyncio.run(talk()) == []
    assert [text for text, _ in asked] == ["Ho. "]


def test_without_a_language_nothing_is_told(asked):
    async def talk():
        turn, speaking = Turn(), Guide(None)
        speaking.text(turn, "Hi. ")
        speaking.words(turn, [("Hi", 0, 180)])
        await asyncio.sleep(0.05)
        await speaking.close()
        return turn.told

    assert asyncio.run(talk()) == []
    assert not asked


def test_a_text_without_phones_is_logged_once_and_later_ones_are_told(monkeypatch, caplog):
    def latin(text, _):
        if "Hi" not in text:
            raise PhonesError("the text is in Greek letters")
        return [TimedPhones(text.strip())]

    monkeypatch.setattr(guide, "phones_of_text", latin)

    async def talk():
        turn, speaking = Turn(), Guide("en")
        for text in ("Ena. ", "Dyo. ", "Hi. "):
            speaking.text(turn, text)
            async with asyncio.timeout(10):
                while speaking._task and not speaking._task.done():
                    await asyncio.sleep(0.001)
        await speaking.close()
        return turn.said

    assert asyncio.run(talk()) == ["Hi."]
    assert [record.getMessage() for record in caplog.records] == [
        "the sound alone moves the lips: the text is in Greek letters"
    ]


def test_a_turn_that_the_voice_refuses_is_tried_once_and_others_go_on():
    async def talk():
        refused, other, speaking = Turn(ClientError("too many", code="phones_too_long")), Turn(), Guide("en")
        speaking.text(refused, "Hi. ")
        speaking.text(other, "Ho. ")
        await told(other, 1)
        await speaking.close()
        return other.said

    assert asyncio.run(talk()) == ["Ho."]


def test_a_turn_is_told_no_more_words_than_it_may_have():
    async def talk():
        turn, speaking = Turn(), Guide("en")
        speaking.text(turn, "a " * (MOST_WORDS - 1))
        await told(turn, MOST_WORDS - 1)
        speaking.text(turn, "b c d ")
        await told(turn, MOST_WORDS)
        await asyncio.sleep(0.02)
        await speaking.close()
        return turn.said[-2:], len(turn.told)

    assert asyncio.run(talk()) == (["a", "b"], MOST_WORDS)
