"""When each word of a text is heard: by the client's word times, and between them by how long words take. Pure."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

Given = Sequence[tuple[str, int, int]]  # a word, its start and its end in ms

# A letter's time at 170 words a minute, pauses apart; espeak-ng's own pace, and about that of people who read aloud.
LETTER_MS: Final = 62.0
MAX_MS: Final = 3_600_000.0
# How many letters' time other characters take. A syllable each in Chinese, Japanese and Korean; a digit is a word.
_SYLLABLE, _DIGIT, _SPACE, _SENTENCE_PAUSE, _PHRASE_PAUSE = 3.0, 3.5, 0.3, 6.0, 3.0
_SENTENCE_ENDS: Final = frozenset(".!?…。！？؟।")
_PHRASE_ENDS: Final = frozenset(",;:–—،؛、，；：")
_REACH: Final = 200  # characters: how far on in the text a client's word is looked for
_NOT_SPOKEN: Final = " \t.,;:!?…\"'()[]«»“”‘’-–—。、，！？؟،"


def word_times_ms(text: str, words: Sequence[int], given: Given, length_ms: float) -> NDArray[np.float64]:
    """When each word begins, in ms on the turn's clock, float64 (N,), never falling.

    words: where each begins in the text, and the text's length. given: the client's, in any order and quality.
    length_ms: of the turn's speech; 0 where it is not known.
    """
    letters = np.concatenate(([0.0], np.cumsum([_letters(text[a:b]) for a, b in pairwise(words)])))
    places, times = _anchors(text, given)
    at = np.interp(places, words, letters) if places else np.zeros(0)
    ms = np.clip(np.maximum.accumulate(times), 0.0, MAX_MS) if places else np.zeros(0)
    first = max(0.0, ms[0] - at[0] * LETTER_MS) if places else 0.0
    left = float(letters[-1] - (at[-1] if places else 0.0)) * LETTER_MS
    last = (float(ms[-1]) if places else 0.0) + left
    if length_ms > 0 and left > 0:
        last = max(float(length_ms), float(ms[-1]) if places else 0.0)
    whole_at = np.concatenate(([0.0], at, [letters[-1]]))
    whole_ms = np.maximum.accumulate(np.concatenate(([first], ms, [last])))
    return np.interp(letters[:-1], whole_at, whole_ms)


def text_of(given: Given) -> str:
    """The client's words as a text, for a caption that has no other."""
    text = ""
    for word, _, _ in given:
        apart = text and word and not (_is_syllable(text[-1]) and _is_syllable(word[0]))
        text += (" " if apart else "") + word
    return text


def _anchors(text: str, given: Given) -> tuple[list[int], list[float]]:
    """Places in the text at which the time is known: the start and the end of each word that is found."""
    lowered = text.lower()
    lowered = lowered if len(lowered) == len(text) else text
    places: list[int] = []
    times: list[float] = []
    cursor = 0
    for word, start_ms, end_ms in given:
        spoken = word.strip(_NOT_SPOKEN).lower()
        at = lowered.find(spoken, cursor, cursor + _REACH + len(spoken)) if spoken else -1
        if at >= 0:
            cursor = at + len(spoken)
            places += [at, cursor]
            times += [float(start_ms), float(end_ms)]
    return places, times


@lru_cache(maxsize=2048)
def _letters(word: str) -> float:
    """How long a word takes, in letters."""
    return sum(map(_letter, word))


def _letter(character: str) -> float:
    if character in _SENTENCE_ENDS:
        return _SENTENCE_PAUSE
    if character in _PHRASE_ENDS:
        return _PHRASE_PAUSE
    if _is_syllable(character):
        return _SYLLABLE
    kind = unicodedata.category(character)[0]
    return {"L": 1.0, "N": _DIGIT, "Z": _SPACE, "S": 1.0}.get(kind, 0.0)


def _is_syllable(character: str) -> bool:
    """Whether it is of a script that is written in syllables and without spaces, or Korean."""
    return (
        "\u3040" <= character <= "\u30ff"
        or "\u3400" <= character <= "\u9fff"
        or "\uac00" <= character <= "\ud7a3"
        or "\U00020000" <= character <= "\U0003ffff"
    )
