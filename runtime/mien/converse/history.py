"""What was said, as the customer heard it."""

from __future__ import annotations

from dataclasses import dataclass, field

KEPT = 12
WHISPERS_KEPT = 6
STAFF_NOTE = "(A member of staff has spoken with the visitor, and noted:)"
STAFF_SAID = "(A member of staff had you say this to the visitor:)"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question with the part of its answer that was heard. staff: no visitor asked; `question` says what it is."""

    question: str
    heard: str = ""
    staff: bool = False


@dataclass(slots=True)
class History:
    """The newest exchanges of one visit. whispers: what persons told mien alone."""

    exchanges: list[Exchange] = field(default_factory=list)
    whispers: list[str] = field(default_factory=list)
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
        """What a person has noted for mien."""
        self._add_staff(STAFF_NOTE, text)

    def say(self, text: str) -> None:
        """What a person had mien say, as it was heard."""
        self._add_staff(STAFF_SAID, text)

    def whisper(self, text: str) -> None:
        """What a person tells mien, unheard by the visitor."""
        self.whispers.append(text)
        del self.whispers[:-WHISPERS_KEPT]

    def withdraw(self, answer: int | None = None) -> None:
        """Forget one question with its answer; None: the visitor's newest."""
        if answer is None:
            answer = next((number for number in reversed(self._numbers) if number), None)
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
        self.whispers.clear()

    def _add_staff(self, what: str, text: str) -> None:
        self.ask(0, what)
        self.exchanges[-1] = Exchange(what, text, staff=True)
