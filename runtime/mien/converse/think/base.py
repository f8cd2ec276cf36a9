"""What a thinker is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from msgspec import Struct

from mien.converse.history import Exchange


class Question(Struct, frozen=True):
    """history: the exchanges before it, as they were heard. whispers: of staff, for the thinker alone."""

    text: str
    language: str = "en"
    history: tuple[Exchange, ...] = ()
    whispers: tuple[str, ...] = ()


class Part(Struct, frozen=True):
    """A piece of an answer: a sentence to say, or an action. offer: the action that a "yes" to the sentence means."""

    text: str = ""
    action: str = ""
    offer: str = ""


class Thinker(Protocol):
    """Runs in a process of its own. cancel() comes from another thread."""

    def load(self) -> None:
        """Get ready; may take seconds. Raises ConverseError: what is missing, with the remedy."""

    def think(self, question: Question) -> Iterator[Part]:
        """The answer, part by part, as soon as each is known. Raises ConverseError."""

    def cancel(self) -> None:
        """End a running think() soon."""
