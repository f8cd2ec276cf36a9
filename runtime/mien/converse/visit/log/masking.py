"""Masks what could name a person in a question that is kept as text."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable
from typing import Final

from mien.errors import ConfigError

# Any number that is not a small count, whatever it means: a ticket, a room, a year of birth.
_NUMBER: Final = re.compile(r"\+?\d(?:[\d .,/:-]*\d)?")
_FEW_DIGITS: Final = 2
_WORD: Final = r"[^\W\d_][\w'-]*"
_INTRODUCED: Final = re.compile(  # both words of a name that is given, whatever their case
    rf"\b(?P<before>my name is|i am called|mein name ist|ich heiße|ich heisse) (?P<name>{_WORD}(?: {_WORD})?)",
    re.IGNORECASE,
)
_TITLED: Final = re.compile(
    rf"\b(?P<before>mr|mrs|ms|miss|dr|doctor|professor|herrn?|frau|doktor)\.? (?P<name>{_WORD})", re.IGNORECASE
)
_INSIDE: Final = re.compile(r"(?<=[a-zäöüß,;] )[A-ZÀ-ÖØ-Þ][\w'-]+(?: [A-ZÀ-ÖØ-Þ][\w'-]+)*")
_KNOWN: Final = frozenset(("i", "i'm", "i'd", "i've", "i'll"))


def masker(language: str, vocabulary: frozenset[str]) -> Callable[[str], str]:
    """A function that masks. vocabulary: words in lower case that name nobody: those of the knowledge file.

    E-mail addresses, telephone and card numbers are found by datafog, further numbers and names by their form: in
    English every word with a capital that the vocabulary lacks; in German, where nouns have one, only after "Frau",
    "ich heiße" and the like. Raises ConfigError without datafog.
    """
    os.environ["DATAFOG_NO_TELEMETRY"] = "1"  # it is off unless somebody turns it on; on a kiosk nobody may
    try:
        sanitize: Callable[[str], str] = importlib.import_module("datafog").sanitize
    except ImportError:
        raise ConfigError(
            "visit.keep_text: masking needs datafog; pip install 'mien[visits]', or set it to false"
        ) from None

    def name(found: re.Match[str]) -> str:
        words = [word for word in found.group().split() if word.lower() not in vocabulary | _KNOWN]
        return "[NAME]" if words else found.group()

    def mask(text: str) -> str:
        text = re.sub(r"\[([A-Z_]+)_\d+\]", r"[\1]", sanitize(text))
        for pattern in (_INTRODUCED, _TITLED):
            text = pattern.sub(lambda found: f"{found['before']} [NAME]", text)
        if language != "de":
            text = _INSIDE.sub(name, text)
        return _NUMBER.sub(lambda n: "[NUMBER]" if sum(map(str.isdigit, n.group())) > _FEW_DIGITS else n.group(), text)

    return mask
