"""What a speech recogniser is."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct

RATE_HZ = 16_000


class Transcript(Struct, frozen=True):
    """text: "" where nobody spoke. unclear: somebody spoke, but the text is probably wrong. language: as "en".

    logprob: the mean logarithm of the tokens' probability; 0 where the engine gives none.
    """

    text: str = ""
    language: str = "en"
    unclear: bool = False
    logprob: float = 0.0


class Recogniser(Protocol):
    """Runs in a process of its own. cancel() comes from another thread."""

    def load(self) -> None:
        """Get ready; may take seconds. Raises ConverseError: what is missing, with the remedy."""

    def recognise(self, pcm: bytes, language: str) -> Transcript:
        """The text of mono s16le at 16 kHz. language: of the customer, or "auto". Raises ConverseError."""

    def cancel(self) -> None:
        """End a running recognise() soon, where that is possible."""
