"""What a speech synthesiser is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from msgspec import Struct


class Sound(Struct, frozen=True):
    """A piece of speech: mono s16le. words: (text, start, end) in ms from the sentence's first sample, where known."""

    pcm: bytes
    rate_hz: int
    words: tuple[tuple[str, int, int], ...] = ()


class Synthesiser(Protocol):
    """Runs in a process of its own. cancel() comes from another thread."""

    def load(self) -> None:
        """Get ready; may take seconds. Raises ConverseError: what is missing, with the remedy."""

    def speak(self, text: str, language: str, speed: float) -> Iterator[Sound]:
        """One sentence as it is made. speed: 1 is the voice's own, 0.5 half as fast. Raises ConverseError."""

    def cancel(self) -> None:
        """End a running speak() soon."""
