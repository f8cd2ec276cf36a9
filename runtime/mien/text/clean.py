"""Untrusted text made fit to be set: no controls, no direction tricks, no towers of marks, one line."""

import unicodedata
from functools import lru_cache
from typing import Final

MAX_CHARACTERS: Final = 16_000
MAX_MARKS: Final = 3  # combining marks on one letter: Hebrew, Thai, Hindi and Vietnamese need no more
_MARKS: Final = frozenset(("Mn", "Me"))
_GONE: Final = frozenset(("Cc", "Cs", "Co", "Cn", "Cf"))
# Of the format characters these shape words: joiners (Persian, Hindi), the place for a break (Thai, Khmer), direction
# marks that reach no further than themselves. Overrides, embeddings and isolates are not among them.
_KEPT: Final = frozenset("\u200b\u200c\u200d\u200e\u200f\u061c\u00ad")


def clean(text: str) -> str:
    """At most MAX_CHARACTERS of text, normalised (NFC), each run of white space one space. Never raises."""
    return " ".join(filter(None, map(_clean_word, text[:MAX_CHARACTERS].split())))


@lru_cache(maxsize=2048)
def _clean_word(word: str) -> str:
    """Cached: a text that grows is cleaned again with each addition, and this loop holds Python's lock."""
    if word.isascii() and word.isprintable():
        return word
    kept: list[str] = []
    marks = 0
    for character in word:
        category = unicodedata.category(character)
        if category in _GONE and character not in _KEPT:
            continue
        marks = marks + 1 if category in _MARKS else 0
        if marks <= MAX_MARKS:
            kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept))
