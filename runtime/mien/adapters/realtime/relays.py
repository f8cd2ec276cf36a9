"""What staff relay to be said, from its arrival until its outcome, without I/O."""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

from mien.client import Relayed
from mien.core.wire import RelayOutcome

MOST_WAITING: Final = 8
TOO_MANY: Final = f"{MOST_WAITING} texts wait already to be said"
SILENT: Final = "the service said nothing"


class Done(NamedTuple):
    """What became of a text. why: empty where the outcome says it all."""

    relayed: Relayed
    outcome: RelayOutcome
    why: str = ""


class Relays:
    """The texts to be said, one answer of the service each. held: whether an agent holds the floor; they wait then.

    Methods return what to tell the agents.
    """

    def __init__(self) -> None:
        self.held = False
        self._waiting: deque[Relayed] = deque()
        self._asked: Relayed | None = None
        self._begun = False
        self._items: dict[str, Relayed] = {}
        self._told: Relayed | None = None

    @property
    def waits(self) -> bool:
        """Whether a text may be said now, as soon as the service is free."""
        return bool(self._waiting) and not self.held and self._asked is None

    @property
    def asking(self) -> bool:
        """Whether the answer that the service works on says a text."""
        return self._asked is not None and self._begun

    @property
    def busy(self) -> bool:
        """Whether a text is being said."""
        return self._asked is not None or bool(self._items)

    def add(self, relayed: Relayed) -> list[Done]:
        """A text to be said has come."""
        if len(self._waiting) >= MOST_WAITING:
            return [Done(relayed, "unused", TOO_MANY)]
        self._waiting.append(relayed)
        return []

    def next(self) -> str:
        """The text to ask for now, while `waits`."""
        self._asked, self._begun = self._waiting.popleft(), False
        return self._asked.text

    def begun(self) -> None:
        """The service works on an answer."""
        self._begun = self._asked is not None

    def sound(self, item: str) -> None:
        """This item belongs to the answer that the service works on."""
        if self._asked is not None and self._begun:
            self._items[item] = self._asked

    def answered(self, *, cancelled: bool, failed: str) -> list[Done]:
        """The answer is complete, cancelled or failed."""
        if not self._begun and not failed:
            return []
        relayed, self._asked = self._asked, None
        if relayed is None or relayed is self._told or relayed in self._items.values():
            return []
        if cancelled:
            return [Done(relayed, "cut")]
        return [Done(relayed, "unused", failed or SILENT)]

    def heard(self, item: str, *, cut: bool) -> list[Done]:
        """An item is over."""
        relayed = self._items.pop(item, None)
        if relayed is None or relayed is self._told:
            return []
        if not cut and relayed in self._items.values():
            return []
        self._told = relayed
        return [Done(relayed, "cut" if cut else "said")]

    def again(self) -> None:
        """The service did not take what was asked for last, because it answers already: ask later."""
        relayed, self._asked = self._asked, None
        self._items = {item: each for item, each in self._items.items() if each is not relayed}
        if relayed is not None and relayed is not self._told:
            self._waiting.appendleft(relayed)

    def lost(self) -> None:
        """The service is gone. What it had sent of a text is said to its end; a text without any is asked for again."""
        if self._asked in self._items.values():
            self._asked = None
        else:
            self.again()

    def forget(self) -> None:
        """The voice is gone, and with it who relayed: nobody waits for an outcome."""
        self._waiting.clear()
        self._items.clear()
        self._told = self._asked
