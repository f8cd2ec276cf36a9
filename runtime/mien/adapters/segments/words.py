"""The words of a segment with their times, in the order in which a TTS reports them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

MS_A_LETTER = 62  # a word whose end nobody reported
LONGEST_WORD = 100  # characters that a caption takes


class TimedWord(NamedTuple):
    """A word, as it was reported (spaces included), with its times on the segment's clock in ms."""

    text: str
    start_ms: float
    end_ms: float


@dataclass(slots=True)
class Words:
    """Collects words. A missing start is the end before it; a missing end is the next word's start."""

    _known: list[TimedWord] = field(default_factory=list)
    _open: tuple[str, float] | None = None

    def add(self, text: str, start_ms: float | None, end_ms: float | None) -> None:
        """Add the next word. None: the TTS did not say. A word that has neither time counts from the one before."""
        if not text.strip():
            return
        if self._open is not None:
            self._close(start_ms if start_ms is not None else None)
        begin = start_ms if start_ms is not None else self._last_end()
        if end_ms is None:
            self._open = (text, max(0.0, begin))
        else:
            self._known.append(TimedWord(text, max(0.0, begin), max(begin, end_ms, 0.0)))

    def finish(self) -> None:
        """No more words: the last one ends where its letters end."""
        if self._open is not None:
            self._close(None)

    def known(self, after: int = 0) -> list[TimedWord]:
        """The words with both times, from number `after` on."""
        return self._known[after:]

    def heard(self, played_ms: float) -> list[TimedWord]:
        """The words of which at least half was heard."""
        heard = list(self._known)
        if self._open is not None:
            heard.append(TimedWord(self._open[0], self._open[1], self._open[1] + _length_ms(self._open[0])))
        return [word for word in heard if (word.start_ms + word.end_ms) / 2 <= played_ms]

    def __bool__(self) -> bool:
        return bool(self._known) or self._open is not None

    def _close(self, next_ms: float | None) -> None:
        assert self._open is not None
        text, start_ms = self._open
        end_ms = start_ms + _length_ms(text) if next_ms is None else max(start_ms, next_ms)
        self._known.append(TimedWord(text, start_ms, end_ms))
        self._open = None

    def _last_end(self) -> float:
        return self._known[-1].end_ms if self._known else 0.0


def join_words(words: list[TimedWord], after: str = "") -> str:
    """The text of words as it reads. Words that carry no spaces of their own are separated by one.

    after: the text that they follow.
    """
    text = after
    for word in words:
        separate = text and not text[-1].isspace() and not word.text[0].isspace() and not _unspaced(word.text)
        text += (" " if separate else "") + word.text
    return text[len(after) :]


def _unspaced(text: str) -> bool:
    """Whether a script without spaces between words, or punctuation that closes a word."""
    first = text[0]
    return first in ".,;:!?…)]}" or 0x2E80 <= ord(first) <= 0x9FFF or 0xF900 <= ord(first) <= 0xFAFF


def _length_ms(text: str) -> float:
    return len(text.strip()) * MS_A_LETTER
