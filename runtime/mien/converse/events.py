"""What the conversation is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from mien.converse.hear.base import Transcript

Stage = Literal["hear", "think", "speak"]


@dataclass(frozen=True, slots=True)
class UserBegan:
    """The customer began to speak at at_ns, by CLOCK_MONOTONIC as all times here."""

    at_ns: int


@dataclass(frozen=True, slots=True)
class Quiet:
    """Since since_ns the customer's sound is quiet, but the ear has not ended the utterance yet."""

    since_ns: int


@dataclass(frozen=True, slots=True)
class SoundAgain:
    """After Quiet the same utterance goes on."""


@dataclass(frozen=True, slots=True)
class UserEnded:
    """The customer's last sound was at at_ns."""

    at_ns: int


@dataclass(frozen=True, slots=True)
class SoundLost:
    """The ear is gone or muted: what has begun will not be completed."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """The answer to Recognise."""

    job: int
    transcript: Transcript


@dataclass(frozen=True, slots=True)
class Thought:
    """One sentence of the answer to Think. offer: what a "yes" to it means."""

    job: int
    text: str
    offer: str = ""


@dataclass(frozen=True, slots=True)
class Acted:
    """The answer to Think contains an action."""

    job: int
    action: str


@dataclass(frozen=True, slots=True)
class ThoughtAll:
    """The answer to Think is complete."""

    job: int


@dataclass(frozen=True, slots=True)
class Failed:
    """An engine failed, or exceeded its time."""

    job: int
    stage: Stage
    why: str


@dataclass(frozen=True, slots=True)
class Queued:
    """A sentence was given to the voice: its words on the clock of the turn, and where it ends there."""

    answer: int
    text: str
    words: tuple[tuple[str, int, int], ...]
    end_ms: float


@dataclass(frozen=True, slots=True)
class Opened:
    """The first sound of an answer is heard at at_ns."""

    answer: int
    at_ns: int


@dataclass(frozen=True, slots=True)
class TurnOver:
    """An answer ended. heard_ms: what the customer heard before they spoke over it."""

    answer: int
    heard_ms: float
    interrupted: bool


@dataclass(frozen=True, slots=True)
class BargedIn:
    """What the voice did by itself."""

    action: Literal["ducked", "paused", "interrupted", "resumed"]


@dataclass(frozen=True, slots=True)
class Typed:
    """The customer chose this text in place of saying it."""

    text: str


@dataclass(frozen=True, slots=True)
class Announce:
    """Say this, when nothing else is being said. offer: what a "yes" to it means.

    now: what is being said or asked ends, as it does when somebody chooses a text. staff: a person has it said; it may
    be several sentences, and is remembered.
    """

    label: str
    text: str
    offer: str = ""
    now: bool = False
    staff: bool = False


@dataclass(frozen=True, slots=True)
class Forget:
    """The customer has left: forget what was said, and how they wanted it said."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


Event: TypeAlias = (
    UserBegan
    | Quiet
    | SoundAgain
    | UserEnded
    | SoundLost
    | Recognised
    | Thought
    | Acted
    | ThoughtAll
    | Failed
    | Queued
    | Opened
    | TurnOver
    | BargedIn
    | Typed
    | Announce
    | Forget
    | Tick
)
