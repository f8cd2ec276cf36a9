"""Paging: where words begin, where a page may end."""

import ctypes
import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from mien.text import pango
from mien.text.pango import libpango

LONGEST_WORD: Final = 24  # characters; longer words count as several, so that they can be split between pages
_LEVEL_UNKNOWN: Final = -1

_SENTENCE_ENDS: Final = frozenset(".!?…。！？؟।")
_PHRASE_ENDS: Final = frozenset(",;:–—،؛、，；：")
_CLOSERS: Final = "\"')]}»”’」』）"
# How full a page must be to end early, after a sentence or a phrase.
_FULL_FOR_SENTENCE: Final = 0.3
_FULL_FOR_PHRASE: Final = 0.4
_ONE_LETTER: Final = re.compile(r"(?<!\S)([^\W\d_]) ")
_SHORT: Final = (re.compile(r"[^\W\d_]{1,4} "), re.compile(r"[^\W\d_]{1,3} "))
_LONELY: Final = 0.2  # of a page: a last page with less than this takes words from the page before


def word_starts(text: str) -> list[int]:
    """The offset of each word, then the text's length; [0] for no text. Raises TextError if Pango is missing.

    Words break where Unicode allows a line break: a word includes its punctuation and trailing space; in Chinese and
    Japanese it is a character or two.
    """
    if not text:
        return [0]
    starts = [0]
    bits = _attributes(text).tolist()
    for at in range(1, len(text)):
        long = at - starts[-1] >= LONGEST_WORD and bits[at] & pango.CURSOR
        if bits[at] & pango.LINE_BREAK or long:
            starts.append(at)
    return [*starts, len(text)]


def page_end(text: str, words: Sequence[int], first: int, fitting: int) -> int:
    """The first word of the next page: prefers to end a page after a sentence or a phrase.

    words: as returned by word_starts(). first: the page's first word. fitting: the first word that no longer fits.
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
    """The first word of the sentence that contains `word`, or of the `reach` characters before it."""
    for start in range(word, 0, -1):
        if words[word] - words[start] > reach or _last_letter(text, words[start - 1], words[start]) in _SENTENCE_ENDS:
            return start
    return 0


def tie_one_letter_words(text: str) -> str:
    """Tie words of one letter to the next word, so that "a", "в" or "y" does not end a line."""
    return _ONE_LETTER.sub("\\1\u00a0", text)


def _before_short_words(text: str, words: Sequence[int], first: int, end: int) -> int:
    """Move up to two trailing short words (articles, prepositions) to the next page."""
    shorter = end
    for short in _SHORT:  # from the end
        if shorter - 1 <= first or not short.fullmatch(text, words[shorter - 1], words[shorter]):
            break
        shorter -= 1
    return shorter if words[shorter] - words[first] > _FULL_FOR_SENTENCE * (words[end] - words[first]) else end


def _last_letter(text: str, start: int, end: int) -> str:
    return text[start:end].rstrip().rstrip(_CLOSERS)[-1:]


def _attributes(text: str) -> "np.ndarray[tuple[int], np.dtype[np.uint32]]":
    """Pango's break attributes of each character, a bit field."""
    library, data = libpango(), text.encode("utf-8", "replace")
    bits = np.zeros(len(text) + 1, dtype=np.uint32)
    language = library.pango_language_get_default()
    address = bits.ctypes.data_as(ctypes.POINTER(ctypes.c_uint32))
    library.pango_get_log_attrs(data, len(data), _LEVEL_UNKNOWN, language, address, len(bits))
    return bits
