"""What a visit is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Wish = Literal["goodbye", "person", "more_time", "no_more_time", "consent", "no_consent", "activity"]
By = Literal["word", "touch", "mouse", "key"]


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed. quiet: within the quiet hours."""

    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Present:
    """A sensor sees somebody, or nobody any more; a touch that chose nothing is somebody too."""

    present: bool
    source: str = "sensor"


@dataclass(frozen=True, slots=True)
class Sound:
    """The visitor began to make sound, or stopped."""

    began: bool


@dataclass(frozen=True, slots=True)
class Busy:
    """mien began to think or to speak, or has finished: nothing of it is heard any more."""

    busy: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """The visitor's turn was understood as a question. words: how many."""

    words: int = 0


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer was heard, or broken off. known: it came from the knowledge, and is no refusal."""

    known: bool
    heard: bool


@dataclass(frozen=True, slots=True)
class Wished:
    """What the visitor wants of the visit itself, by words or by a button."""

    wish: Wish
    by: By = "word"


@dataclass(frozen=True, slots=True)
class Announced:
    """Something that the visit said is over. heard: to its end."""

    label: str
    heard: bool


@dataclass(frozen=True, slots=True)
class PersonAnswered:
    """A person said whether they come. in_s: when; 0 unknown."""

    coming: bool
    in_s: int = 0


@dataclass(frozen=True, slots=True)
class PersonSpeaks:
    """A person has taken the floor."""


@dataclass(frozen=True, slots=True)
class PersonLeft:
    """A person has handed back. note: for mien, of what was agreed."""

    note: str = ""


@dataclass(frozen=True, slots=True)
class Closing:
    """The operator wants no new visits, or wants them again."""

    closing: bool


Signal: TypeAlias = (
    Closing
    | Tick
    | Present
    | Sound
    | Busy
    | Asked
    | Answered
    | Wished
    | Announced
    | PersonAnswered
    | PersonSpeaks
    | PersonLeft
)
