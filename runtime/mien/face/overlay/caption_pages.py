"""Caption pages: splits a turn's text into timed, rendered pages."""

import logging
import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.core.bus import CaptionCue
from mien.face.overlay.timing import text_of, word_times_ms
from mien.face.state import turn_of
from mien.text.clean import clean, without_symbols
from mien.text.paging import sentence_start, tie_one_letter_words, word_starts
from mien.text.typesetter import Image, Typesetter

log = logging.getLogger("mien.face")

LEAD_MS: Final = 80.0  # a page appears a little before its first word
RISE_MS: Final = 110.0  # how long a word takes to brighten
_REACH: Final = 200  # characters searched backwards for the start of the sentence when joining mid-turn
_CACHED_IMAGES: Final = 3
_MOST_WARNINGS: Final = 5
_MOST_LOST: Final = 0.1  # share of letters without a font above which the caption is not shown


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Page:
    """A few lines of a turn's caption. image: None for an empty page. Times are in ms on the turn's clock.

    from_ms, until_ms: when the page is shown. starts_ms: when each of its words begins, float64 (N,).
    """

    cue: CaptionCue
    image: Image | None
    from_ms: float
    until_ms: float
    starts_ms: NDArray[np.float64]

    def holds(self, turn_ms: float) -> bool:
        """Whether this page is shown at that time."""
        return self.from_ms <= turn_ms < self.until_ms

    def progress(self, turn_ms: float) -> float:
        """How many of its words have been heard, with a fraction while the newest one brightens."""
        count = int(self.starts_ms.searchsorted(turn_ms, side="right"))
        if not count:
            return 0.0
        return count - 1 + min(1.0, (turn_ms - float(self.starts_ms[count - 1])) / RISE_MS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Script:
    """A cue prepared for typesetting.

    words: offset of each word, then the text's length. times_ms: when each word begins, on the turn's clock.
    """

    cue: CaptionCue
    text: str
    words: list[int]
    times_ms: NDArray[np.float64]


class PageMaker:
    """Makes one page at a time; keeps a turn's page breaks, so that added text does not reflow what is shown."""

    def __init__(self, typesetter: Typesetter) -> None:
        self._typesetter = typesetter
        self._script: Script | None = None
        self._breaks: list[int] = []  # character offsets at which pages begin
        self._images: dict[str, Image] = {}
        self._warned: set[str] = set()

    def make(self, cue: CaptionCue, turn_ms: float) -> Page:
        """The page shown at turn_ms."""
        script = self._read(cue)
        count = len(script.words) - 1
        if not count:
            return Page(cue=cue, image=None, from_ms=-math.inf, until_ms=math.inf, starts_ms=script.times_ms)
        word = max(0, int(script.times_ms.searchsorted(turn_ms + LEAD_MS, side="right")) - 1)
        first, end = self._bounds(script, word)
        return Page(
            cue=cue,
            image=self._image(script.text[script.words[first] : script.words[end]].strip()),
            from_ms=float(script.times_ms[first]) - LEAD_MS if first else -math.inf,
            until_ms=float(script.times_ms[end]) - LEAD_MS if end < count else math.inf,
            starts_ms=script.times_ms[first:end],
        )

    def _read(self, cue: CaptionCue) -> Script:
        before = self._script
        if before is not None and before.cue is cue:
            return before
        text = tie_one_letter_words(self._readable(clean(cue.text or text_of(cue.words))))
        words = word_starts(text)
        given = [(clean(word), start_ms, end_ms) for word, start_ms, end_ms in cue.words]
        times_ms = word_times_ms(text, words, given, cue.length_ms)
        same = before is not None and turn_of(before.cue) == turn_of(cue)
        common = _common_length(before.text, text) if before is not None and same else -1
        self._breaks = [at for at in self._breaks if at <= common]
        self._script = Script(cue=cue, text=text, words=words, times_ms=times_ms)
        return self._script

    def _readable(self, text: str) -> str:
        """The text without symbols that no font has; empty when too many letters lack a font."""
        missing = self._typesetter.missing(text)
        if not missing:
            return text
        text, letters = without_symbols(text, missing)
        if letters and letters not in self._warned and len(self._warned) < _MOST_WARNINGS:
            self._warned.add(letters)
            names = ", ".join(f"U+{ord(letter):04X}" for letter in letters[:5])
            log.warning("no font for %s in a caption; install one for its script", names)
        lost = sum(map(text.count, letters))
        return "" if lost > _MOST_LOST * len(text) else clean(text)

    def _bounds(self, script: Script, word: int) -> tuple[int, int]:
        words, breaks = script.words, self._breaks
        place = bisect_right(breaks, words[word]) - 1
        if place < 0 or words[word] - breaks[place] > 2 * _REACH:
            first = sentence_start(script.text, words, word, _REACH)
        else:
            first = bisect_right(words, breaks[place]) - 1
        while True:
            end = self._typesetter.page(script.text, words, first)
            self._note_break(words[first])
            if word < end:
                return first, end
            first = end

    def _note_break(self, at: int) -> None:
        place = bisect_right(self._breaks, at)
        if not place or self._breaks[place - 1] != at:
            self._breaks.insert(place, at)

    def _image(self, text: str) -> Image:
        image = self._images.pop(text, None)
        if image is None:
            image = self._typesetter.image(text)
        self._images[text] = image  # the newest last
        if len(self._images) > _CACHED_IMAGES:
            del self._images[next(iter(self._images))]
        return image


def _common_length(one: str, other: str) -> int:
    """Length of the common prefix."""
    if other.startswith(one):
        return len(one)
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
