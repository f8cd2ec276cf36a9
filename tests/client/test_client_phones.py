"""Phones of texts by espeak-ng, and what a text must not be."""

import shutil
import subprocess
from typing import Any

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


def given(monkeypatch: pytest.MonkeyPatch, answers: dict[str, str]) -> list[tuple[list[str], dict[str, Any]]]:
    """An espeak-ng that speaks these voices. Returns the calls."""
    calls: list[tuple[list[str], dict[str, Any]]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[bytes]:
        calls.append((command, options))
        voice = command[command.index("-v") + 1]
        said = answers.get(voice, "").encode()
        return subprocess.CompletedProcess(command, 0 if voice in answers else 1, stdout=said)

    monkeypatch.setattr(subprocess, "run", run)
    return calls


def test_the_program_is_asked_for_phones_without_sound_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = given(monkeypatch, {"en-us": "h_ə_l_ˈoʊ\n"})
    assert phones_of_text("a\0b\x1bc\nd", "en_US") == [TimedPhones("h ə l oʊ")]
    [(command, options)] = calls
    assert command == ["espeak-ng", "-q", "--ipa", "--sep=_", "-v", "en-us", "--stdin"]
    assert (options["input"], options["timeout"], options["check"]) == (b"a b c\nd", 5.0, False)


def test_where_a_country_has_no_voice_its_language_has(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = given(monkeypatch, {"en": "h_aɪ\n"})
    assert phones_of_text("hi", "en-ZZ") == [TimedPhones("h aɪ")]
    assert [command[command.index("-v") + 1] for command, _ in calls] == ["en-zz", "en"]
    calls.clear()
    with pytest.raises(PhonesError, match="no voice for 'xx'"):
        phones_of_text("hi", "xx")
    assert len(calls) == 1


def test_what_is_no_phone_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, {"en": " (fr)b_ˈɔ̃_ʒ_ˌuː-ʁ(en) _ h_\u200daɪ\n\n  \n"})
    assert phones_of_text("bonjour hi", "en") == [TimedPhones("b ɔ̃ ʒ uːʁ"), TimedPhones("h aɪ")]


def test_a_program_that_hangs_gives_no_phones(monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(command: list[str], **_: object) -> None:
        raise subprocess.TimeoutExpired(command, 5.0)

    monkeypatch.setattr(subprocess, "run", hangs)
    with pytest.raises(PhonesError, match="gave no phones"):
        phones_of_text("hi", "en")


TIMES = [(0, 0), (0, 10), (10, 5), (10, 20), (9, 30), (10, 10), (11, 40)]


def test_times_may_touch_and_must_not_go_back(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = given(monkeypatch, {"en": "\n".join("abcdefg")})
    made = phones_of_words([(f"w \n{number}", *times) for number, times in enumerate(TIMES)], "en")
    kept = [TIMES[0], TIMES[1], (None, None), TIMES[3], (None, None), TIMES[5], TIMES[6]]
    assert made == [TimedPhones(phone, *times) for phone, times in zip("abcdefg", kept, strict=True)]
    assert calls[0][1]["input"] == "\n\n".join(f"w {number}" for number in range(7)).encode()


def test_where_words_and_lines_do_not_match_there_are_no_times(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, {"en": "a b\nc\nd"})
    made = phones_of_words([("one", 0, 1), ("two", 1, 2)], "en")
    assert made == [TimedPhones(phone) for phone in "abcd"]


@pytest.mark.parametrize(
    ("text", "good"), [("абвг abcd", True), ("абвгд abcd", False), ("1234 !", True), ("абв 123", False)]
)
def test_half_of_the_letters_may_be_foreign(monkeypatch: pytest.MonkeyPatch, text: str, good: bool) -> None:
    given(monkeypatch, {"en": "a\n"})
    if good:
        assert phones_of_text(text, "en") == [TimedPhones("a")]
    else:
        with pytest.raises(PhonesError, match="Cyrillic"):
            phones_of_text(text, "en")


def test_a_turn_has_so_many_characters_and_words_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, {"en": "a\n"})
    assert phones_of_text("a" * MOST_CHARACTERS, "en")
    assert phones_of_words([("a", 0, 1)] * MOST_WORDS, "en")
    with pytest.raises(PhonesError, match="begin another turn"):
        phones_of_words([("a", 0, 1)] * (MOST_WORDS + 1), "en")
    assert (MOST_CHARACTERS, MOST_WORDS) == (16_000, wire.MAX_PHONE_WORDS)


def test_messages_are_few_and_their_words_are_cut() -> None:
    messages = list(phone_messages("t", [TimedPhones("ə" * 201, 1, 2)] * 100))
    assert {word.phones for message in messages for word in message.words} == {"ə" * 200}
    sizes = [len(wire.encode(message)) for message in messages]
    assert all(11_000 < size < 13_500 for size in sizes[:-1])
    assert sum(len(message.words) for message in messages) == 100
    many = list(phone_messages("t", [TimedPhones("a", 10**9, 10**9)] * 1000))
    assert [len(message.words) for message in many] == [706, 294]
    assert list(phone_messages("t", [])) == []
