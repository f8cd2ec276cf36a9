"""Sanitises untrusted text: strips controls, bidi overrides, stacked marks, line breaks, symbols without a font."""

import unicodedata
from functools import lru_cache
from typing import Final

MAX_CHARACTERS: Final = 16_000
MAX_MARKS: Final = 3  # combining marks per letter: Hebrew, Thai, Hindi and Vietnamese need no more
_MARKS: Final = frozenset(("Mn", "Me"))
_REMOVED: Final = frozenset(("Cc", "Cs", "Co", "Cn", "Cf"))
# Format characters that shape words: joiners (Persian, Hindi), break opportunities (Thai, Khmer) and direction marks,
# which affect only their neighbours. Overrides, embeddings and isolates are not among them.
_KEPT: Final = frozenset("\u200b\u200c\u200d\u200e\u200f\u061c\u00ad")
_SYMBOLS: Final = frozenset("SMC")  # major categories: pictographs and signs, variation selectors, joiners


def clean(text: str) -> str:
    """At most MAX_CHARACTERS of the text in NFC, each run of white space one space. Never raises."""
    return " ".join(filter(None, map(_clean_word, text[:MAX_CHARACTERS].split())))


def without_symbols(text: str, missing: str) -> tuple[str, str]:
    """Drop symbols without a font, because the text reads well without them.

    missing: characters without a font. Returns the text without its missing symbols, and the other missing characters.
    """
    symbols = {character for character in missing if unicodedata.category(character)[0] in _SYMBOLS}
    left = "".join(character for character in text if character not in symbols)
    return left, "".join(character for character in missing if character not in symbols)


@lru_cache(maxsize=2048)
def _clean_word(word: str) -> str:
    """Cached because growing text is cleaned again with each addition, and this loop holds the GIL."""
    if word.isascii() and word.isprintable():
        return word
    kept: list[str] = []
    marks = 0
    for character in word:
        category = unicodedata.category(character)
        if category in _REMOVED and character not in _KEPT:
            continue
        marks = marks + 1 if category in _MARKS else 0
        if marks <= MAX_MARKS:
            kept.append(character)
    return unicodedata.normalize("NFC", "".join(kept))
