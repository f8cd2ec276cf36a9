"""Finds names of people by HanTa, a tagger of parts of speech whose models come inside its package."""

from __future__ import annotations

import hashlib
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from mien.errors import ConfigError


class Model(NamedTuple):
    """file: in HanTa's package; sha256: of it, because it is a pickle. tag: what it calls a proper noun."""

    file: str
    sha256: str
    tag: str


MODELS: Final = {
    "en": Model("morphmodel_en.pgz", "99ddc9b14b3fe604b245e2d7a3aef59ab1bdd06b1bae4f4ce74738902e2a0265", "NP0"),
    "de": Model("morphmodel_ger.pgz", "d0a23caa212663fe7715e18e937074287f80b9e3bab64ccebc12a81e0094db23", "NE"),
}
NEAR: Final = 3.0  # natural logarithm: a word with a capital is a name where that is at most so much less likely
_NOBODY: Final = """
monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays fridays saturdays sundays
january february march april may june july august september october november december
mr mrs ms miss dr doctor prof professor sir madam english german french spanish i
montag dienstag mittwoch donnerstag freitag samstag sonntag januar februar märz mai juni juli oktober dezember
herr herrn frau doktor
"""
NOBODY: Final = frozenset(_NOBODY.split())
"""Proper nouns, and words before a name, that name nobody."""

_WORD: Final = re.compile(r"\[[A-Z_]+\]|[^\W\d_]+(?:['’-][^\W\d_]+)*|[^\w\s]")


class NameFinder:
    """Finds the names in sentences of one language: those that HanTa tags as proper nouns, which places are too."""

    def __init__(self, language: str, nobody: frozenset[str]) -> None:
        """nobody: words in lower case that name nobody. Raises ImportError without HanTa; ConfigError."""
        model = MODELS[language]
        module = importlib.import_module("HanTa.HanoverTagger")
        path = Path(str(module.__file__)).with_name(model.file)
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise ConfigError(f"visit.keep_text: {path}: {error.strerror}; reinstall mien[visits-names]") from None
        if found != model.sha256:
            raise ConfigError(
                f"visit.keep_text: {path} is not the model that mien was tested with; pip install 'mien[visits-names]'"
            )
        self._tagger: Any = module.HanoverTagger(str(path))
        self._tag = model.tag
        self._nobody = nobody | NOBODY

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Where the names are: (start, end) in the text, in order; first and last name are one."""
        found: list[tuple[int, int]] = []
        for start, end in self._words(text):
            if found and not text[found[-1][1] : start].strip():
                found[-1] = (found[-1][0], end)
            else:
                found.append((start, end))
        return found

    def _words(self, text: str) -> Iterator[tuple[int, int]]:
        words = list(_WORD.finditer(text))
        if not words:
            return
        tagged = self._tagger.tag_sent([word.group() for word in words])
        after_name = False
        for number, (word, (_, _, tag)) in enumerate(zip(words, tagged, strict=True)):
            name, capital = word.group(), word.group()[0].isupper() and number > 0
            after_name = (
                name[0].isalpha()
                and name.lower() not in self._nobody
                and (tag == self._tag or (capital and (after_name or self._may_be(name))))
            )
            if after_name:
                yield word.span()

    def _may_be(self, word: str) -> bool:
        likely: dict[str, float] = dict(self._tagger.tag_word(word, cutoff=15))
        return self._tag in likely and max(likely.values()) - likely[self._tag] <= NEAR
