"""What is masked in questions that are kept: numbers, addresses; names by a tagger or, without it, by their form."""

import json
import re
import sys

import pytest

from converse.visit.named_questions import TUNED, UNSEEN
from mien.config import Config, VisitConfig
from mien.converse.visit.log import names
from mien.converse.visit.log.keeper import keeper
from mien.converse.visit.log.masking import masker
from mien.converse.visit.record import Record
from mien.errors import ConfigError

WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


@pytest.fixture(scope="module")
def tagged():
    """A mask that finds names by the tagger."""
    pytest.importorskip("HanTa", reason="the extra visits-names is not installed")
    return masker(("en", "de"), frozenset(("clock", "museum")))


@pytest.fixture
def without_tagger(monkeypatch):
    monkeypatch.setitem(sys.modules, "HanTa.HanoverTagger", None)


ENGLISH = [
    ("write to john.smith@example.com please", "write to [EMAIL] please"),
    ("call me at +44 171 234 5678", "call me at [PHONE]"),
    ("my name is john smith", "my name is [NAME]"),
    ("my name is John Smith", "my name is [NAME]"),
    ("is Doctor Miller here", "is Doctor [NAME] here"),
    ("where is Anna Karenina", "where is [NAME]"),
    ("when does the Clock room open", "when does the Clock room open"),
    ("what did I miss yesterday", "what did I miss yesterday"),
    ("I have ticket 48213", "I have ticket [ZIP_CODE]"),
    ("I have ticket 482134", "I have ticket [NUMBER]"),
    ("a table for 4 at 12", "a table for 4 at 12"),
]
GERMAN = [
    ("ich heiße Anna Müller", "ich heiße [NAME]"),
    ("Wo ist Frau Schmidt", "Wo ist Frau [NAME]"),
    ("Hat meine Frau angerufen", "Hat meine Frau angerufen"),
    ("Wo sind die Toiletten", "Wo sind die Toiletten"),
    ("meine Nummer ist 0171 2345678", "meine Nummer ist [NUMBER]"),
]
CASES = [(text, masked, "en") for text, masked in ENGLISH] + [(text, masked, "de") for text, masked in GERMAN]


@pytest.mark.parametrize(("text", "masked", "language"), CASES)
def test_by_the_tagger(tagged, text, masked, language):
    assert tagged(text, language) == masked


@pytest.mark.parametrize(("text", "masked", "language"), CASES)
@pytest.mark.usefixtures("without_tagger")
def test_by_form(text, masked, language):
    by_form = {"is Doctor Miller here": "is [NAME] here"}  # the title is a word with a capital too
    assert masker(("en", "de"), frozenset(("clock",)))(text, language) == by_form.get(text, masked)


def scores(mask, language, questions):
    """Recall of the words of names, and the share of masked words that are of names."""
    named = missed = lost = 0
    for question in questions:
        words = [word for name in re.findall("<(.*?)>", question) for word in WORD.findall(name)]
        others = WORD.findall(re.sub("<.*?>", " ", question))
        left = WORD.findall(mask(re.sub("[<>]", "", question), language).replace("[NAME]", " "))
        named += len(words)
        missed += sum(word in left for word in words)
        lost += sum(left.count(word) < others.count(word) for word in set(others))
    return (named - missed) / named, (named - missed) / (named - missed + lost)


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("questions", [TUNED, UNSEEN], ids=["tuned", "unseen"])
def test_names_are_found_in_sentences(tagged, language, questions):
    recall, precision = scores(tagged, language, questions[language])
    assert recall == 1.0
    assert precision >= 0.85


def test_there_are_enough_sentences_with_and_without_names():
    every = [question for questions in (TUNED, UNSEEN) for each in questions.values() for question in each]
    assert len(every) == 80
    assert sum("<" in question for question in every) == 48


@pytest.mark.usefixtures("without_tagger")
def test_without_the_tagger_the_log_says_so_with_the_remedy(caplog):
    masker(("de",), frozenset())
    assert "names are masked by their form alone" in caplog.text
    assert "pip install 'mien[visits-names]'" in caplog.text


def test_a_model_that_is_another_is_not_loaded(monkeypatch):
    pytest.importorskip("HanTa", reason="the extra visits-names is not installed")
    monkeypatch.setitem(names.MODELS, "en", names.MODELS["en"]._replace(sha256="0" * 64))
    with pytest.raises(ConfigError, match="not the model that mien was tested with"):
        masker(("en",), frozenset())


def test_without_datafog_the_configuration_is_refused(monkeypatch):
    monkeypatch.setitem(sys.modules, "datafog", None)
    with pytest.raises(ConfigError, match="datafog"):
        masker(("en",), frozenset())


def test_the_vocabulary_is_the_knowledge_file_and_the_language_the_visits(tmp_path):
    kept = keeper(Config(visit=VisitConfig(log=str(tmp_path), keep_text=True)))
    assert kept is not None
    kept.refused("does the Museum know Waldemar", "en")
    kept.ended(Record(began_ns=1, greeted_ns=1, ended_ns=2))
    assert json.loads(next(tmp_path.iterdir()).read_text())["unanswered"] == ["does the Museum know [NAME]"]
