"""What the conversation asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from mien.converse.history import Exchange


@dataclass(frozen=True, slots=True)
class Recognise:
    """Recognise the customer's sound between two times."""

    job: int
    from_ns: int
    until_ns: int
    language: str


@dataclass(frozen=True, slots=True)
class Think:
    """Find the answer to a question. history: what was said before, as it was heard. whispers: for mien alone."""

    job: int
    question: str
    language: str
    history: tuple[Exchange, ...]
    whispers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cancel:
    """Stop a job; its result is not wanted any more."""

    job: int


@dataclass(frozen=True, slots=True)
class Prepare:
    """Synthesise a sentence that will probably be said."""

    text: str
    language: str
    speed: float


@dataclass(frozen=True, slots=True)
class Say:
    """Say one more sentence of an answer."""

    answer: int
    text: str
    language: str
    speed: float


@dataclass(frozen=True, slots=True)
class EndSay:
    """The answer is complete."""

    answer: int


@dataclass(frozen=True, slots=True)
class Interrupt:
    """Stop all speech; drop what waits."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Pause the speech without losing any."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on with the paused speech."""


@dataclass(frozen=True, slots=True)
class Volume:
    """Set the volume, 0..1."""

    gain: float


@dataclass(frozen=True, slots=True)
class Show:
    """What the face does while nothing is said."""

    state: Literal["idle", "listening", "thinking"]


@dataclass(frozen=True, slots=True)
class Perform:
    """Perform an action outside the conversation, such as hand_over."""

    action: str
    question: str


@dataclass(frozen=True, slots=True)
class Note:
    """A line for the transcript. who: "customer", "mien" or "note"."""

    who: Literal["customer", "mien", "note"]
    text: str


@dataclass(frozen=True, slots=True)
class Decided:
    """The customer's turn is over and is answered by `answer`: for the measurement of latencies.

    silence_ns: when the silence was long enough.
    """

    answer: int
    last_sound_ns: int
    silence_ns: int
    recognised_ns: int
    thought_ns: int


@dataclass(frozen=True, slots=True)
class Understood:
    """The customer has asked something that is answered."""

    question: str


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer is over. known: it is none of the refusals. heard: to its end."""

    question: str
    known: bool
    heard: bool


@dataclass(frozen=True, slots=True)
class Announced:
    """An announcement is over. heard: to its end."""

    label: str
    heard: bool


Order: TypeAlias = (
    Recognise
    | Think
    | Cancel
    | Prepare
    | Say
    | EndSay
    | Interrupt
    | Pause
    | Resume
    | Volume
    | Show
    | Perform
    | Note
    | Decided
    | Understood
    | Answered
    | Announced
)
