"""One answer on its way from the thinker to the customer's ear."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Word = tuple[str, int, int]


@dataclass(slots=True)
class Thinking:
    """A job of the thinker. committed_ns: when the question was complete; 0 while it may still change."""

    job: int
    question: str
    sentences: list[tuple[str, str]] = field(default_factory=list)
    """Each with its offer, "" for none."""
    actions: list[str] = field(default_factory=list)
    done: bool = False
    failed: str = ""
    progress_ns: int = 0
    committed_ns: int = 0


@dataclass(slots=True)
class Answer:
    """number: names it in events and orders. kind: a filler and a phrase are not part of the history.

    given: sentences handed over to be said; queued: those that the voice has, with the end of each in ms. audible: its
    first sound was heard. filled: a filler was said before it. dropped: the customer's next question ended it.
    """

    number: int
    question: str
    kind: Literal["answer", "phrase", "filler"] = "answer"
    thinking: Thinking | None = None
    taken: int = 0
    given: list[str] = field(default_factory=list)
    queued: list[tuple[str, float]] = field(default_factory=list)
    words: list[Word] = field(default_factory=list)
    opened_ns: int = 0
    ended: bool = False
    filled: bool = False
    dropped: bool = False
    offer: str = ""
    label: str = ""
    """Of an announcement."""
    staff: bool = False
    """A person has it said."""
    continues: int = 0
    """The answer of which this says the rest; 0 for none."""

    @property
    def audible(self) -> bool:
        """Whether the customer has heard its beginning."""
        return self.opened_ns > 0

    def heard_text(self, heard_ms: float) -> str:
        """The words of which at least half was heard. Their times were given when the sentences were queued."""
        return " ".join(word for word, start, end in self.words if (start + end) / 2 <= heard_ms)

    def unheard(self, heard_ms: float) -> list[str]:
        """The sentences that were not heard to their end, one that was broken off included."""
        heard = sum(1 for _, end_ms in self.queued if end_ms <= heard_ms + 60)
        return self.given[heard:]

    def heard_until_ns(self) -> int:
        """When the speech that the voice has will have been heard."""
        return self.opened_ns + round(self.queued[-1][1] * 1e6) if self.opened_ns and self.queued else self.opened_ns
