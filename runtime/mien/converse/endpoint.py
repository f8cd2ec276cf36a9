"""How long a silence must last to end the customer's turn, by what was recognised so far."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_OPEN_ENDS: Final = {
    "en": "a an and are as at because but by can could do does for from how i if in is it its my of on or our so than "
    "that the their there these this to um uh er we what when where which who why will with would you your "
    "excuse hello hi",
    "de": "aber als am an auf aus bei bis das dass dem den der des die ein eine einem einen einer für ich im in ist "
    "kann können mein mit nach oder ob und um von vom was weil wenn wie wo wir zu zum zur äh ähm hallo",
}
_OPEN: Final = {language: frozenset(words.split()) for language, words in _OPEN_ENDS.items()}
_COMPLETE_QUESTION: Final = re.compile(r"\w+\W+\w+.*\?\s*$")


@dataclass(frozen=True, slots=True)
class Timing:
    """All in ms. question: silence after a complete question; end: after another sentence that is complete; open: after
    one that is not.

    sure: the customer's speech over an answer that cannot be a cough any more. filler, deadline: after the decision,
    without a first sentence. stall: after the last word heard, while the answer is incomplete. longest: of a question.
    """

    question_ms: int = 350
    end_ms: int = 450
    open_ms: int = 1_100
    sure_ms: int = 900
    filler_ms: int = 900
    deadline_ms: int = 2_800
    stall_ms: int = 1_500
    longest_ms: int = 25_000
    resume_ms: int = 350
    recognise_ms: int = 2_500
    own_pause_ms: int = 220


def is_open(text: str, language: str) -> bool:
    """Whether the customer probably goes on: it ends with a comma, dots, or a word that needs another."""
    stripped = text.strip()
    if not stripped or stripped.endswith((",", "...", "…", "-", ":")):
        return True
    if _COMPLETE_QUESTION.search(stripped):
        return False
    words = re.findall(r"[\w']+", stripped.lower())
    return bool(words) and words[-1] in _OPEN.get(language, _OPEN["en"])


def silence_ms(text: str, language: str, timing: Timing) -> int:
    """The silence that ends a turn with this text."""
    if is_open(text, language):
        return timing.open_ms
    return timing.question_ms if _COMPLETE_QUESTION.search(text.strip()) else timing.end_ms
