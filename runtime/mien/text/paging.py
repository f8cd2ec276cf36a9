"""How much of a text is one page: as many words as fit, and where it can be no more than a phrase. Pure."""

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

_SENTENCE_ENDS: Final = frozenset(".!?…。！？؟।")
_PHRASE_ENDS: Final = frozenset(",;:–—،؛、，；：")
_CLOSERS: Final = "\"')]}»”’」』）"
# How full a page must at least be for it to end early, with a sentence or a phrase.
_FULL_FOR_SENTENCE: Final = 0.3
_FULL_FOR_PHRASE: Final = 0.4
_ONE_LETTER: Final = re.compile(r"(?<!\S)([^\W\d_]) ")
_SHORT: Final = (re.compile(r"[^\W\d_]{1,4} "), re.compile(r"[^\W\d_]{1,3} "))
_LONELY: Final = 0.2  # of a page: a last page with less takes some from the one before


def page_end(text: str, words: Sequence[int], first: int, fitting: int) -> int:
    """The word with which the next page begins. words: starts, and the text's length.

    first: the page's first word. fitting: the word behind the last that fits; there is more text.
    """
    room = words[fitting] - words[first]
    for ends, full in ((_SENTENCE_ENDS, _FULL_FOR_SENTENCE), (_PHRASE_ENDS, _FULL_FOR_PHRASE)):
        for end in range(fitting, first, -1):
            if words[end] - words[first] < full * room:
                break
            if _last_letter(text, words[first], words[end]) in ends:
                return end
    rest = words[-1] - words[fitting]
    if rest < _LONELY * room:
        even = words[first] + (room + rest) * 3 // 5
        return max(first + 1, min(fitting, int(np.searchsorted(words, even))))
    return _before_short_words(text, words, first, fitting)


def sentence_start(text: str, words: Sequence[int], word: int, reach: int) -> int:
    """The word that begins the sentence in which `word` lies, or the one about `reach` characters before."""
    for start in range(word, 0, -1):
        if words[word] - words[start] > reach or _last_letter(text, words[start - 1], words[start]) in _SENTENCE_ENDS:
            return start
    return 0


def glued(text: str) -> str:
    """The text with words of one letter tied to the next: "a", "в" or "y" do not end a line."""
    return _ONE_LETTER.sub("\\1\u00a0", text)


def _before_short_words(text: str, words: Sequence[int], first: int, end: int) -> int:
    """Articles and prepositions go with what follows them, at most two of them."""
    shorter = end
    for short in _SHORT:  # from the end
        if shorter - 1 <= first or not short.fullmatch(text, words[shorter - 1], words[shorter]):
            break
        shorter -= 1
    return shorter if words[shorter] - words[first] > _FULL_FOR_SENTENCE * (words[end] - words[first]) else end


def _last_letter(text: str, start: int, end: int) -> str:
    return text[start:end].rstrip().rstrip(_CLOSERS)[-1:]
