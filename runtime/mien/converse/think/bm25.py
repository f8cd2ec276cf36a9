"""BM25 (doi:10.1561/1500000019): which of several texts has a question's words."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

K1: Final = 1.2
B: Final = 0.5
_COMMON: Final = """
a an and any are at be can could do does for from get give go going have here how i if in is it like me my of on or
please s so some tell that the there this to up us want was we what when where which who will with would you your hi
hello excuse know need am about find look
"""
_STOP: Final = frozenset(_COMMON.split())


def stems(text: str) -> list[str]:
    """The words that carry meaning, without the commonest English endings. text: plain."""
    return [_stem(word) for word in text.split() if word not in _STOP]


def _stem(word: str) -> str:
    for ending in ("ings", "ing", "ies", "es", "ed", "s", "ly"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)] + ("y" if ending == "ies" else "")
            break
    return word[:-1] if word.endswith("e") and len(word) > 3 else word


class Bm25:
    """texts: plain, one for each answer."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._counts = [Counter(stems(text)) for text in texts]
        self._lengths = [sum(counts.values()) for counts in self._counts]
        self._mean = sum(self._lengths) / max(1, len(texts)) or 1.0
        found: Counter[str] = Counter()
        for counts in self._counts:
            found.update(counts.keys())
        count = len(texts)
        self._weight = {word: math.log(1 + (count - n + 0.5) / (n + 0.5)) for word, n in found.items()}
        self._unknown = math.log(1 + (count + 0.5) / 0.5)

    def scores(self, question: str) -> list[float]:
        """Of each text, 0 to 1: how much of the question's weight it covers. question: plain."""
        words = stems(question)
        most = sum(self._weight.get(word, self._unknown) * (K1 + 1) for word in words)
        if not most:
            return [0.0] * len(self._counts)
        return [
            sum(self._term(word, counts, length) for word in words) / most
            for counts, length in zip(self._counts, self._lengths, strict=True)
        ]

    def _term(self, word: str, counts: Counter[str], length: int) -> float:
        n = counts[word]
        return self._weight.get(word, 0.0) * n * (K1 + 1) / (n + K1 * (1 - B + B * length / self._mean)) if n else 0.0
