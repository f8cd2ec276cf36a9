"""What was said, as the customer heard it."""

from __future__ import annotations

from dataclasses import dataclass, field

KEPT = 12
STAFF_NOTE = "(A member of staff has spoken with the visitor, and noted:)"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question with the part of its answer that was heard."""

    question: str
    heard: str = ""


@dataclass(slots=True)
class History:
    """The newest exchanges of one visit."""

    exchanges: list[Exchange] = field(default_factory=list)
    _numbers: list[int] = field(default_factory=list)

    def ask(self, answer: int, question: str) -> None:
        """A question will be answered by `answer`."""
        self.exchanges.append(Exchange(question))
        self._numbers.append(answer)
        del self.exchanges[:-KEPT], self._numbers[:-KEPT]

    def hear(self, answer: int, text: str) -> None:
        """What was heard of an answer; a continued one is heard in parts."""
        if answer in self._numbers:
            at = self._numbers.index(answer)
            before = self.exchanges[at]
            self.exchanges[at] = Exchange(before.question, f"{before.heard} {text}".strip())

    def note(self, text: str) -> None:
        """What a person who spoke in between has noted."""
        self.ask(0, STAFF_NOTE)
        self.exchanges[-1] = Exchange(STAFF_NOTE, text)

    def withdraw(self, answer: int | None = None) -> None:
        """Forget one question with its answer; None: the newest."""
        if answer is None and self._numbers:
            answer = self._numbers[-1]
        if answer in self._numbers:
            at = self._numbers.index(answer)
            del self.exchanges[at], self._numbers[at]

    def snapshot(self) -> tuple[Exchange, ...]:
        """The exchanges, oldest first."""
        return tuple(self.exchanges)

    def clear(self) -> None:
        """Forget the visit."""
        self.exchanges.clear()
        self._numbers.clear()
