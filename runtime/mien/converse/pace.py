"""What a machine that is too slow for a stage does instead: pure decisions, from measured times."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

HASTY_S: Final = 0.2
"""An utterance that takes longer ends after the silence that ends the customer's turn: a shorter window is worth it."""

SLOW_S: Final = 0.8
"""Recognition, and the synthesis of a short sentence: beyond that a customer wonders whether anybody heard."""

SLOW_SEARCH_S: Final = 0.4
"""The search for an answer, which comes on top of recognition."""

KEEPS_UP: Final = 0.8
"""Synthesis that takes more than this share of the time of its sound leaves gaps between sentences."""

SMALLER: Final = {"base": "tiny.en"}


@dataclass(frozen=True, slots=True)
class Recognition:
    """engine: whisper or url. hasty: the shorter window."""

    engine: str
    model: str
    hasty: bool = False


Instead = Literal["", "url", "program", "nothing"]


def faster_recognition(now: Recognition, taken_s: float, *, smaller: bool, url: bool) -> Recognition | None:
    """The next thing to try where an utterance takes so long; None: stay.

    smaller: whether the smaller model is installed, and knows the language. url: whether a server is configured.
    """
    if now.engine != "whisper" or taken_s <= HASTY_S:
        return None
    if not now.hasty:
        return replace(now, hasty=True)
    if taken_s <= SLOW_S:
        return None
    if smaller and now.model in SMALLER:
        return replace(now, model=SMALLER[now.model])
    if url:
        return Recognition("url", now.model)
    return None


def searches_by_words(taken_s: float) -> bool:
    """Whether answers are found by their words alone, because their meaning takes so long."""
    return taken_s > SLOW_SEARCH_S


def speech_instead(taken_s: float, sound_s: float, *, url: bool, program: bool) -> Instead:
    """What speaks the sentences that are not prepared, where a short one of sound_s takes so long; "": the same engine.

    url: whether a server is configured. program: whether espeak-ng or flite is installed.
    """
    if taken_s <= SLOW_S and taken_s <= KEEPS_UP * sound_s:
        return ""
    return "url" if url else "program" if program else "nothing"
