"""How much of a text is one page: as many words as fit, and where it can be no more than a phrase. Pure."""

from collections.abc import Sequence
from typing import Final

import numpy as np

_SENTENCE_ENDS: Final = frozenset(".!?…。！？؟।")
_PHRASE_ENDS: Final = frozenset(",;:–—،؛、，；：")
_CLOSERS: Final = "\"')]}»”’」』）"
# How full a page must at least be for it to end early, with a sentence or a phrase.
_FULL_FOR_SENTENCE: Final = 0.3
_FULL_FOR_PHRASE: Final = 0.4
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
    if rest >= _LONELY * room:
        return fitting
    even = words[first] + (room + rest) * 3 // 5
    return max(first + 1, min(fitting, int(np.searchsorted(words, even))))


def sentence_start(text: str, words: Sequence[int], word: int, reach: int) -> int:
    """The word that begins the sentence in which `word` lies, or the one about `reach` characters before."""
    for start in range(word, 0, -1):
        if words[word] - words[start] > reach or _last_letter(text, words[start - 1], words[start]) in _SENTENCE_ENDS:
            return start
    return 0


def _last_letter(text: str, start: int, end: int) -> str:
    return text[start:end].rstrip().rstrip(_CLOSERS)[-1:]
