"""Phones of texts by espeak-ng, and what a text must not be."""

import shutil

import pytest

from mien.client.phones import (
    MOST_CHARACTERS,
    MOST_WORDS,
    PhonesError,
    TimedPhones,
    phone_messages,
    phones_of_text,
    phones_of_words,
)
from mien.core import wire

needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


@needs_espeak
def test_words_become_phones_and_numbers_are_spoken() -> None:
    assert phones_of_text("My 2 cats", "en-US")[0] == TimedPhones("m aɪ")
    assert len(phones_of_text("1250", "en")) > 3
    assert all("ˈ" not in word.phones for word in phones_of_text("umbrella", "en"))


@needs_espeak
@pytest.mark.parametrize("language", ["en", "en-US", "pt-BR", "pt_br", "de-DE", "es-419"])
def test_languages_are_named_as_elsewhere(language: str) -> None:
    assert phones_of_text("banana", language)


@needs_espeak
def test_timed_words_keep_their_times_and_lose_those_that_go_back() -> None:
    made = phones_of_words([("Hi", 0, 180), ("  ", 180, 190), ("there", 200, 540), ("you", 100, 50)], "en")
    assert made[:2] == [TimedPhones(made[0].phones, 0, 180), TimedPhones(made[1].phones, 200, 540)]
    assert made[2] == TimedPhones(made[2].phones)


@needs_espeak
def test_control_characters_and_odd_texts_are_no_harm() -> None:
    assert phones_of_text("a\0b\x1b[0m \ud800 💩", "en") is not None
    assert phones_of_text("", "en") == []
    assert phones_of_text("...", "en") == []


@pytest.mark.parametrize(
    ("text", "language", "says"),
    [
        ("Привет", "en", "Cyrillic"),
        ("hello", "ru", "Latin"),
        ("hello", "../x", "is no language"),
        ("hello", "", "is no language"),
        ("a" * (MOST_CHARACTERS + 1), "en", "begin another turn"),
    ],
)
def test_a_text_that_does_not_fit_is_refused_with_the_reason(text: str, language: str, says: str) -> None:
    with pytest.raises(PhonesError, match=says):
        phones_of_text(text, language)


@needs_espeak
def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(PhonesError, match="no voice for 'qqq'"):
        phones_of_text("hello", "qqq")


def test_ten_thousand_words_are_refused() -> None:
    with pytest.raises(PhonesError, match=f"at most {MOST_WORDS}"):
        phones_of_words([("a", 0, 1)] * 10_000, "en")


def test_without_espeak_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(PhonesError, match="apt-get install espeak-ng"):
        phones_of_text("hello", "en")


def test_messages_stay_within_a_header() -> None:
    words = [TimedPhones("ə" * 300, 10**6, 10**6)] * 500
    messages = list(phone_messages("t" * 64, words))
    assert sum(len(message.words) for message in messages) == 500
    for message in messages:
        assert wire.decode_client(wire.encode(message)) == message
