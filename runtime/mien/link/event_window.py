"""Which events are on their way to the broker: in order, several at a time, none twice on one connection. Pure."""

from collections import deque
from collections.abc import Callable
from typing import Final

from mien.link.event_lines import Entry

WINDOW: Final = 16


class EventWindow:
    """read(after, most) returns events in order. size: how many may be unanswered."""

    def __init__(self, read: Callable[[int, int], list[Entry]], *, size: int = WINDOW) -> None:
        self._read = read
        self._size = size
        self._under_way: deque[int] = deque()
        self._answered: set[int] = set()
        self._sent = 0

    def begin(self, acked: int) -> None:
        """A new connection: everything after `acked` is sent again."""
        self._under_way.clear()
        self._answered.clear()
        self._sent = acked

    def take(self) -> list[Entry]:
        """Events to send now; from here on they count as under way."""
        room = self._size - len(self._under_way)
        fresh = self._read(self._sent, room) if room > 0 else []
        for entry in fresh:
            self._under_way.append(entry.seq)
            self._sent = entry.seq
        return fresh

    def answered(self, seq: int) -> int:
        """The broker has this one. Returns the number up to which it has all; 0 while an earlier one is missing."""
        self._answered.add(seq)
        done = 0
        while self._under_way and self._under_way[0] in self._answered:
            done = self._under_way.popleft()
            self._answered.discard(done)
        return done
