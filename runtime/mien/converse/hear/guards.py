"""Guards against text that a recogniser invents out of noise, silence or its training data."""

from __future__ import annotations

import re
import zlib
from typing import Final

from mien.converse.hear.base import Transcript

MAX_TOKENS: Final = 10
TOKENS_A_SECOND: Final = 5
NO_SPEECH: Final = 0.6
LOW_LOGPROB: Final = -1.0
UNCLEAR_LOGPROB: Final = -0.85
COMPRESSION: Final = 2.4  # beyond it the text repeats itself (Radford et al. 2022, section 4.5)
REPEATS: Final = 3
MOST_WORDS_A_SECOND: Final = 7.0

# What Whisper writes when it hears nothing: credits and courtesies of the subtitles that it learned from.
_COURTESIES: Final = """
thank you|thank you very much|thanks for watching|thank you for watching|you|bye|bye bye|please subscribe|the end|so
|oh|ah|i m sorry|hm|hmm|vielen dank|subtitles by the amara org community|untertitel der amara org community
|untertitel im auftrag des zdf
"""
_INVENTED: Final = frozenset(text.strip() for text in _COURTESIES.split("|"))
_SOUND: Final = re.compile(r"[\[(*♪][^\])*♪]*[\])*♪]?")


def max_tokens(seconds: float) -> int:
    """How long a text may be: without a cap a model that repeats itself runs for seconds."""
    return MAX_TOKENS + round(TOKENS_A_SECOND * seconds)


def guarded(text: str, *, language: str, no_speech: float, logprob: float, seconds: float) -> Transcript:
    """The transcript, empty where nobody spoke.

    no_speech: its probability. logprob: mean of the tokens. seconds: of sound.
    """
    said = _SOUND.sub(" ", text).strip(" -–")
    said = re.sub(r"\s+", " ", said)
    words = re.findall(r"[^\W_]+(?:'\w+)?", said.lower())
    if not words or (no_speech > NO_SPEECH and logprob < LOW_LOGPROB):
        return Transcript(language=language, logprob=logprob)
    if " ".join(re.findall(r"[^\W_]+", said.lower())) in _INVENTED and (no_speech > 0.3 or logprob < -0.6):
        return Transcript(language=language, logprob=logprob)
    unclear = (
        logprob < UNCLEAR_LOGPROB
        or repeats(words) > REPEATS
        or compression(said) > COMPRESSION
        or len(words) > MOST_WORDS_A_SECOND * max(seconds, 0.6)
    )
    return Transcript(said, language, unclear, logprob)


def repeats(words: list[str]) -> int:
    """How often a group of one to four words follows itself at most."""
    most = 1
    for size in range(1, 5):
        count = 1
        for at in range(size, len(words) - size + 1, size):
            count = count + 1 if words[at : at + size] == words[at - size : at] else 1
            most = max(most, count)
    return most


def compression(text: str) -> float:
    """Its length divided by that of its zlib compression."""
    data = text.encode()
    return len(data) / len(zlib.compress(data))
