"""Masks what could name a person in a question that is kept as text."""

from __future__ import annotations

import importlib
import logging
import os
import re
from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from mien.converse.visit.log.names import NameFinder
from mien.errors import ConfigError

log = logging.getLogger("mien.converse")

Mask: TypeAlias = Callable[[str, str], str]
"""(question, its language) -> the question, masked."""

# Any number that is not a small count, whatever it means: a ticket, a room, a year of birth.
_NUMBER: Final = re.compile(r"\+?\d(?:[\d .,/:-]*\d)?")
_FEW_DIGITS: Final = 2
_WORD: Final = r"[^\W\d_][\w'-]*"
_INTRODUCED: Final = re.compile(  # both words of a name that is given, whatever their case
    rf"\b(?P<before>my name is|i am called|mein name ist|ich heiße|ich heisse) (?P<name>{_WORD}(?: {_WORD})?)",
    re.IGNORECASE,
)
_TITLED: Final = re.compile(
    r"\b(?P<before>mr|mrs|ms|miss|dr|doctor|professor|herrn?|frau|doktor)\.? (?-i:[A-ZÀ-ÖØ-Þ])[\w'-]+", re.IGNORECASE
)
_INSIDE: Final = re.compile(r"(?<=[a-zäöüß,;] )[A-ZÀ-ÖØ-Þ][\w'-]+(?: [A-ZÀ-ÖØ-Þ][\w'-]+)*")
_KNOWN: Final = frozenset(("i", "i'm", "i'd", "i've", "i'll"))
NAME: Final = "[NAME]"


def masker(languages: Iterable[str], vocabulary: frozenset[str]) -> Mask:
    """A function that masks. vocabulary: words in lower case that name nobody: those of the knowledge file.

    E-mail addresses, telephone and card numbers are found by datafog, further numbers by their form, names by HanTa.
    Without HanTa names too are found by their form: in English every word with a capital that the vocabulary lacks; in
    German, where nouns have one, only after "Frau", "ich heiße" and the like. Raises ConfigError without datafog.
    """
    os.environ["DATAFOG_NO_TELEMETRY"] = "1"  # it is off unless somebody turns it on; on a kiosk nobody may
    try:
        sanitize: Callable[[str], str] = importlib.import_module("datafog").sanitize
    except ImportError:
        raise ConfigError(
            "visit.keep_text: masking needs datafog; pip install 'mien[visits]', or set it to false"
        ) from None
    finders = _finders(languages, vocabulary)

    def mask(text: str, language: str) -> str:
        text = re.sub(r"\[([A-Z_]+)_\d+\]", r"[\1]", sanitize(text))
        for pattern in (_INTRODUCED, _TITLED):
            text = pattern.sub(lambda found: f"{found['before']} {NAME}", text)
        if (finder := finders.get(language)) is not None:
            text = _without(text, finder.spans(text))
        elif language != "de":
            text = _INSIDE.sub(lambda found: _by_form(found.group(), vocabulary), text)
        text = re.sub(rf"{re.escape(NAME)}(?: {re.escape(NAME)})+", NAME, text)
        return _NUMBER.sub(lambda n: "[NUMBER]" if sum(map(str.isdigit, n.group())) > _FEW_DIGITS else n.group(), text)

    return mask


def _finders(languages: Iterable[str], vocabulary: frozenset[str]) -> dict[str, NameFinder]:
    try:
        return {language: NameFinder(language, vocabulary) for language in languages}
    except ImportError:
        log.warning(
            "visit.keep_text: names are masked by their form alone, which in German misses most; pip install "
            "'mien[visits-names]'"
        )
        return {}


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    for start, end in reversed(spans):
        text = f"{text[:start]}{NAME}{text[end:]}"
    return text


def _by_form(words: str, vocabulary: frozenset[str]) -> str:
    return NAME if any(word.lower() not in vocabulary | _KNOWN for word in words.split()) else words
