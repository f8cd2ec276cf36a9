"""What agents relay to mien: said when the floor is free, kept for the thinker, or declined. Pure."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from mien.client import RelayDone, Relayed
from mien.converse.events import Announce
from mien.converse.history import History
from mien.converse.think.sentences import in_sentences

MOST_WAITING: Final = 8
NO_PROMPT: Final = "this kiosk's answers come from a file, word for word: a whisper cannot change them"
TOO_MANY: Final = f"{MOST_WAITING} texts wait already for the floor"

New: TypeAlias = Announce | RelayDone


@dataclass(slots=True)
class Relays:
    """Its methods return what to tell the conversation, and what to answer the agent.

    thinks: answers come from a prompt, which a whisper can enter. held: an agent holds the floor.
    """

    thinks: bool = False
    held: bool = False
    _waiting: deque[Relayed] = field(default_factory=deque)
    _saying: dict[str, Relayed] = field(default_factory=dict)

    def take(self, relayed: Relayed, history: History) -> list[New]:
        """A text came."""
        if relayed.kind == "say":
            if not in_sentences(relayed.text):
                return [RelayDone(id=relayed.id, outcome="unused", why="nothing in this text can be said")]
            if len(self._waiting) >= MOST_WAITING:
                return [RelayDone(id=relayed.id, outcome="unused", why=TOO_MANY)]
            self._waiting.append(relayed)
            return self._say(now=True)
        if relayed.kind == "whisper" and not self.thinks:
            return [RelayDone(id=relayed.id, outcome="unused", why=NO_PROMPT)]
        if relayed.kind == "whisper":
            history.whisper(relayed.text)
        else:
            history.note(relayed.text)
        return [RelayDone(id=relayed.id, outcome="kept")]

    def floor(self, held: bool) -> list[New]:
        """An agent has taken the floor, or released it: then what waits is said, behind what is said already."""
        self.held = held
        return self._say(now=False)

    def over(self, label: str, heard: bool) -> list[New]:
        """An announcement is over. heard: to its end."""
        relayed = self._saying.pop(label, None)
        if relayed is None:
            return []
        return [RelayDone(id=relayed.id, outcome="said" if heard else "cut")]

    def _say(self, *, now: bool) -> list[New]:
        """What waits, one after the other: a second text does not cut the first."""
        new: list[New] = []
        while self._waiting and not self.held:
            relayed = self._waiting.popleft()
            label = f"relayed {relayed.id}"
            new.append(Announce(label, relayed.text, now=now and not self._saying, staff=True))
            self._saying[label] = relayed
        return new
