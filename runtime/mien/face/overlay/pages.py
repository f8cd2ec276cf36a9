"""Captions into pages: which words are on the one that is heard, when each of them is, and its picture."""

import logging
import math
from bisect import bisect_right
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.core.bus import CaptionCue
from mien.face.overlay.cues import turn_of
from mien.face.overlay.timing import text_of, word_times_ms
from mien.text.clean import clean
from mien.text.coverage import without_symbols
from mien.text.paging import glued, sentence_start
from mien.text.typesetter import Picture, Typesetter
from mien.text.words import word_starts

log = logging.getLogger("mien.face")

LEAD_MS: Final = 80.0  # a page comes a little before its first word
RISE_MS: Final = 110.0  # a word takes so long to become bright
_REACH: Final = 200  # characters: how far back the sentence's start is looked for when joining in mid-turn
_KEPT_PICTURES: Final = 3
_MOST_TOLD: Final = 5
_MOST_LOST: Final = 0.1  # of a text's letters that may be boxes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Page:
    """A few lines of a turn's caption. picture: None where there is nothing to show. Times in ms on the turn's clock.

    from_ms, until_ms: while it is the one to show. starts_ms: when each of its words begins, float64 (N,).
    """

    cue: CaptionCue
    picture: Picture | None
    from_ms: float
    until_ms: float
    starts_ms: NDArray[np.float64]

    def holds(self, turn_ms: float) -> bool:
        """Whether this is the page to show then."""
        return self.from_ms <= turn_ms < self.until_ms

    def progress(self, turn_ms: float) -> float:
        """How many of its words are heard by then, the newest one in part while it brightens."""
        count = int(self.starts_ms.searchsorted(turn_ms, side="right"))
        if not count:
            return 0.0
        return count - 1 + min(1.0, (turn_ms - float(self.starts_ms[count - 1])) / RISE_MS)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Script:
    """A cue read: its text made fit to be set, where its words begin (and the text's length), and when."""

    cue: CaptionCue
    text: str
    words: list[int]
    times_ms: NDArray[np.float64]


class PageMaker:
    """Makes one page at a time; keeps a turn's page breaks, so that text that is added does not move what is shown."""

    def __init__(self, typesetter: Typesetter) -> None:
        self._typesetter = typesetter
        self._script: Script | None = None
        self._breaks: list[int] = []  # where pages begin, in characters
        self._pictures: dict[str, Picture] = {}
        self._told: set[str] = set()

    def make(self, cue: CaptionCue, turn_ms: float) -> Page:
        """The page to show at turn_ms."""
        script = self._read(cue)
        count = len(script.words) - 1
        if not count:
            return Page(cue=cue, picture=None, from_ms=-math.inf, until_ms=math.inf, starts_ms=script.times_ms)
        word = max(0, int(script.times_ms.searchsorted(turn_ms + LEAD_MS, side="right")) - 1)
        first, end = self._bounds(script, word)
        return Page(
            cue=cue,
            picture=self._picture(script.text[script.words[first] : script.words[end]].strip()),
            from_ms=float(script.times_ms[first]) - LEAD_MS if first else -math.inf,
            until_ms=float(script.times_ms[end]) - LEAD_MS if end < count else math.inf,
            starts_ms=script.times_ms[first:end],
        )

    def _read(self, cue: CaptionCue) -> Script:
        before = self._script
        if before is not None and before.cue is cue:
            return before
        text = glued(self._readable(clean(cue.text or text_of(cue.words))))
        words = word_starts(text)
        given = [(clean(word), start_ms, end_ms) for word, start_ms, end_ms in cue.words]
        times_ms = word_times_ms(text, words, given, cue.length_ms)
        same = before is not None and turn_of(before.cue) == turn_of(cue)
        common = _common_length(before.text, text) if before is not None and same else -1
        self._breaks = [at for at in self._breaks if at <= common]
        self._script = Script(cue=cue, text=text, words=words, times_ms=times_ms)
        return self._script

    def _readable(self, text: str) -> str:
        """The text without symbols that no font has; nothing at all where more than a few letters are missing."""
        missing = self._typesetter.missing(text)
        if not missing:
            return text
        text, letters = without_symbols(text, missing)
        if letters and letters not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(letters)
            names = ", ".join(f"U+{ord(letter):04X}" for letter in letters[:5])
            log.warning("no font has %s, of a caption; install a font for its script", names)
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

    def _picture(self, text: str) -> Picture:
        picture = self._pictures.pop(text, None)
        if picture is None:
            picture = self._typesetter.picture(text)
        self._pictures[text] = picture  # the newest last
        if len(self._pictures) > _KEPT_PICTURES:
            del self._pictures[next(iter(self._pictures))]
        return picture


def _common_length(one: str, other: str) -> int:
    """How many characters both begin with."""
    if other.startswith(one):
        return len(one)
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
