"""When each word of a sentence is said, where the synthesiser does not tell."""

from __future__ import annotations

import re
from typing import Final

PAUSE_LETTERS: Final = 3.0
"""A comma or a stop takes as long as so many letters."""

LEAST_LETTERS: Final = 2.0

Word = tuple[str, int, int]


def spread(text: str, length_ms: float) -> tuple[Word, ...]:
    """Each word with start and end in ms: its share of the letters, digits counting threefold."""
    words = text.split()
    weights = [_weight(word) for word in words]
    pauses = [
        PAUSE_LETTERS if re.search(r"[,;:.!?…]$", word) and number + 1 < len(words) else 0.0
        for number, word in enumerate(words)
    ]
    total = sum(weights) + sum(pauses)
    timed, at = [], 0.0
    for word, weight, pause in zip(words, weights, pauses, strict=True):
        end = at + weight
        timed.append((word, round(at * length_ms / total), round(end * length_ms / total)))
        at = end + pause
    return tuple(timed)


def _weight(word: str) -> float:
    letters = sum(3.0 if letter.isdigit() else 1.0 for letter in word if letter.isalnum())
    return max(LEAST_LETTERS, letters)
