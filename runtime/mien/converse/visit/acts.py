"""What a visit asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from mien.converse.visit.record import Record

Line = Literal[
    "attract",
    "closed",
    "greeting",
    "notice",
    "consent",
    "no_consent",
    "still_there",
    "more_time",
    "goodbye",
    "still_calling",
    "coming",
    "coming_in",
    "not_coming",
    "nobody",
    "back",
    "languages",
    "language",
    "captions_on",
    "captions_off",
    "qr",
]
Panel = Literal["none", "consent", "conversation", "extension", "calling", "languages"]


@dataclass(frozen=True, slots=True)
class Say:
    """Say one of the visit's lines. seconds: a time to name in it."""

    line: Line
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Show:
    """Show these buttons."""

    panel: Panel


@dataclass(frozen=True, slots=True)
class Call:
    """Call a person, or withdraw the call."""

    open: bool


@dataclass(frozen=True, slots=True)
class Note:
    """Keep what a person left for mien until the visit ends."""

    text: str


@dataclass(frozen=True, slots=True)
class Forget:
    """Forget everything that was said. record: what may be kept of the visit: times, counts."""

    record: Record


Act: TypeAlias = Say | Show | Call | Note | Forget
