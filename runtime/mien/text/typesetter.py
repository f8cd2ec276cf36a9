"""Renders text as an overlay image, in lines of about the same length."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.text.layout import Layout, Mask, draw_plate
from mien.text.paging import LONGEST_WORD, page_end, word_starts

MAX_WORDS: Final = 250  # per page: word numbers must fit a byte
_LINE_SPACING: Final = 0.96  # relative to the fonts' own spacing, which is loose
_NARROWEST_EM: Final = 0.25  # width of a letter: bounds how much text a page can hold
_TALLEST_EM: Final = 1.7  # height of a line in the preferred fonts
_MOST_KNOWN: Final = 20_000  # characters whose coverage is cached

# A phrase of each script common on kiosks, to find out which of them the installed fonts cover.
SAMPLES: Final = {
    "Latin": "Größe, façade, Việt Nam",
    "Cyrillic": "Доброе утро",
    "Greek": "Καλημέρα",
    "Arabic": "صباح الخير",
    "Hindi": "नमस्ते",
    "Thai": "สวัสดี",
    "Chinese": "早上好，火车",
    "Japanese": "おはようございます、カナ",
    "Korean": "안녕하세요",
}

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Text style. plate: opacity of the backdrop, 0..1. padding_px: across and down, between text and plate edge."""

    font_px: float
    width_px: int
    lines: int = 2
    weight: str = "Semi-Bold"
    plate: float = 0.6
    padding_px: tuple[int, int] = (0, 0)
    radius_px: float = 0.0

    @property
    def largest(self) -> tuple[int, int]:
        """Maximum width and height of an image in pixels."""
        across, down = self.padding_px
        return _multiple_of_4(self.width_px + 2 * across), round(_TALLEST_EM * self.font_px * self.lines) + 2 * down


class Typesetter:
    """Renders text in one style. Use it on the thread that created it. typeset: the number of images made."""

    def __init__(self, style: Style) -> None:
        """Raises TextError if Pango is missing."""
        self.style = style
        self.typeset = 0
        self._layout = Layout(style.font_px, weight=style.weight, line_spacing=_LINE_SPACING)
        self._known: dict[str, bool] = {" ": True}

    def missing(self, text: str) -> str:
        """The distinct characters of the text that no installed font has."""
        if len(self._known) > _MOST_KNOWN:
            self._known.clear()
        fresh = sorted(set(text) - self._known.keys())
        self._layout.set("".join(fresh))
        whole = self._layout.unknown == 0
        for character in fresh:
            if not whole:
                self._layout.set(character)
            self._known[character] = whole or self._layout.unknown == 0
        return "".join(sorted(character for character in set(text) if not self._known[character]))

    def page(self, text: str, words: Sequence[int], first: int) -> int:
        """The first word of the next page, for a page that begins with word `first`.

        words: as returned by word_starts(); first: not the last of them.
        """
        style, last = self.style, len(words) - 1
        most = int(style.lines * style.width_px / (_NARROWEST_EM * style.font_px)) + LONGEST_WORD
        end = min(last, first + MAX_WORDS, int(np.searchsorted(words, words[first] + most, side="right")))
        end = max(end, first + 1)
        self._layout.set(text[words[first] : words[end]].rstrip(), style.width_px)
        lines = self._layout.lines()
        if len(lines) <= style.lines:
            return end
        ends = _byte_ends(text, words[first : end + 1])
        fitting = first + int(np.searchsorted(ends, lines[style.lines].start, side="right"))
        return page_end(text, words, first, max(fitting, first + 1))

    def image(self, text: str) -> Image:
        """The text, uint8 (h, w, 4): ink, shadow, word number, plate. Lines beyond the style's limit are cut off."""
        self.typeset += 1
        style, (across, down) = self.style, self.style.padding_px
        set_in_px = self._balance(text)
        text_px = min(self._layout.size[0], style.width_px)
        width = _multiple_of_4(text_px + 2 * across)
        height = min(self._layout.lines()[: style.lines][-1].bottom + 2 * down, style.largest[1])
        left = (width - set_in_px) // 2  # lines are centred in the layout's width
        out = np.zeros((height, width, 4), dtype=np.uint8)
        mask = np.zeros((height, width), dtype=np.uint8)
        self._layout.draw(mask, left, down)
        out[..., 0], out[..., 1] = mask, soften(mask)
        self._number(text, out, left, down)
        if style.plate:
            draw_plate(mask, style.radius_px)
            np.multiply(mask, style.plate, out=out[..., 3], casting="unsafe")
        return out

    def _balance(self, text: str) -> int:
        """Lay the text out at the narrowest width that needs no more lines. Returns the width."""
        wide = self.style.width_px
        self._layout.set(text, wide)
        count = self._layout.line_count
        if count == 1:
            wide = self._layout.size[0]
        narrow = wide // count
        while count > 1 and wide - narrow > self.style.font_px / 4:
            middle = (narrow + wide) // 2
            self._layout.set_width(middle)
            narrow, wide = (narrow, middle) if self._layout.line_count == count else (middle, wide)
        self._layout.set_width(wide)
        return wide

    def _number(self, text: str, out: Image, left: int, top: int) -> None:
        ends = _byte_ends(text, word_starts(text)).tolist()
        for number, x0, y0, x1, y1 in self._layout.boxes([0, *ends[:-1]], ends):
            out[max(0, y0 + top) : y1 + top, max(0, x0 + left) : x1 + left, 2] = min(number, MAX_WORDS)


def missing_scripts() -> list[str]:
    """The scripts of SAMPLES without a font. Raises TextError if Pango is missing."""
    typesetter = Typesetter(Style(font_px=24, width_px=400))
    return [script for script, sample in SAMPLES.items() if typesetter.missing(sample)]


def soften(ink: Mask) -> Mask:
    """A soft shadow around the ink, two pixels wide."""
    shade: NDArray[np.uint16] = ink.astype(np.uint16)
    for _ in range(2):
        for axis in (0, 1):
            moved = np.moveaxis(shade, axis, 0)
            total = moved + moved
            total[1:] += moved[:-1]
            total[:-1] += moved[1:]
            total >>= 2
            shade = np.moveaxis(total, 0, axis)
    shadow: Mask = np.minimum(shade + shade // 2, 255).astype(np.uint8)
    return shadow


def _byte_ends(text: str, words: Sequence[int]) -> NDArray[np.int64]:
    """End of each word, in bytes from the start of the first."""
    pieces = (text[start:end] for start, end in pairwise(words))
    return np.cumsum([len(piece.encode("utf-8", "replace")) for piece in pieces], dtype=np.int64)


def _multiple_of_4(width: int) -> int:
    return -(-width // 4) * 4
