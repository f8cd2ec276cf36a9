"""Word timing: when each word of a caption is heard, from the client's word times or by estimate. Pure."""

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

Given = Sequence[tuple[str, int, int]]  # word, start and end in ms

# Per letter at 170 words per minute, without pauses: espeak-ng's default rate, close to that of people reading aloud.
LETTER_MS: Final = 62.0
MAX_MS: Final = 3_600_000.0
# Durations in letters. Chinese, Japanese and Korean characters are a syllable each; a digit is read as a word.
_SYLLABLE, _DIGIT, _SPACE, _SENTENCE_PAUSE, _PHRASE_PAUSE = 3.0, 3.5, 0.3, 6.0, 3.0
_SENTENCE_ENDS: Final = frozenset(".!?…。！？؟।")
_PHRASE_ENDS: Final = frozenset(",;:–—،؛、，；：")
_REACH: Final = 200  # characters searched ahead for a client's word
_NOT_SPOKEN: Final = " \t.,;:!?…\"'()[]«»“”‘’-–—。、，！？؟،"


def word_times_ms(text: str, words: Sequence[int], given: Given, length_ms: float) -> NDArray[np.float64]:
    """When each word begins, in ms on the turn's clock, float64 (N,), non-decreasing.

    words: the offset of each word, then the text's length. given: the client's word times, in any order and quality.
    length_ms: of the turn's speech; 0 if unknown.
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
    """The client's words joined to a text, for a caption without one."""
    text = ""
    for word, _, _ in given:
        apart = text and word and not (_is_syllable(text[-1]) and _is_syllable(word[0]))
        text += (" " if apart else "") + word
    return text


def _anchors(text: str, given: Given) -> tuple[list[int], list[float]]:
    """Offsets with a known time: the start and the end of each client word found in the text."""
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
    """Duration of a word, in letters."""
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
    """Whether the character is a syllable: Chinese, Japanese or Korean."""
    return (
        "\u3040" <= character <= "\u30ff"
        or "\u3400" <= character <= "\u9fff"
        or "\uac00" <= character <= "\ud7a3"
        or "\U00020000" <= character <= "\U0003ffff"
    )
