"""Where the words of a text begin, by Unicode's rules of where a line may be broken."""

import ctypes
from typing import Final

import numpy as np

from mien.text import pango
from mien.text.pango import libpango

LONGEST_WORD: Final = 24  # characters; what is longer is counted as several, so that it can be broken between pages
_LEVEL_UNKNOWN: Final = -1


def word_starts(text: str) -> list[int]:
    """Where each word begins, and at last the text's length; [0] for no text. Raises TextError where Pango is missing.

    A word has its punctuation and the space behind it; in Chinese and Japanese it is a character or two.
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


def _attributes(text: str) -> "np.ndarray[tuple[int], np.dtype[np.uint32]]":
    library, data = libpango(), text.encode("utf-8", "replace")
    bits = np.zeros(len(text) + 1, dtype=np.uint32)
    language = library.pango_language_get_default()
    address = bits.ctypes.data_as(ctypes.POINTER(ctypes.c_uint32))
    library.pango_get_log_attrs(data, len(data), _LEVEL_UNKNOWN, language, address, len(bits))
    return bits
