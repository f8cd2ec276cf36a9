"""What waits for a position of a turn."""

from __future__ import annotations

import bisect
from collections import deque
from typing import Final, Generic, NamedTuple, TypeVar

T = TypeVar("T")
LONGEST_HALF_MS: Final = 250.0  # a word before a pause counts as heard after this
UNKNOWN_HALF_MS: Final = 100.0  # and one of unknown length after this


def word_heard_ms(start_ms: float, next_start_ms: float | None) -> float:
    """Where a word counts as heard: half of the way to the next one, which approximates its end."""
    if next_start_ms is None:
        return start_ms + UNKNOWN_HALF_MS
    return start_ms + min(LONGEST_HALF_MS, (next_start_ms - start_ms) / 2)


class _Timed(NamedTuple):
    at_ms: float
    order: int
    word: bool


class HeardLine(Generic[T]):
    """Items of one turn, each with the position that releases it, in ms.

    Two lines keep their own orders: what came between the audio, and what carries a time of its own. Nothing overtakes
    its predecessor in the same line.
    """

    def __init__(self) -> None:
        self._sync: deque[tuple[float, T]] = deque()
        self._timed: list[_Timed] = []
        self._items: dict[int, T] = {}
        self._last: list[T] = []
        self._orders = 0

    def put(self, item: T, at_ms: float) -> None:
        """Add an item behind the audio before it. at_ms: never less than that of the item before."""
        self._sync.append((at_ms, item))

    def put_timed(self, item: T, at_ms: float, *, word: bool) -> None:
        """Add an item with a time of its own. word: it counts as heard at half of its length."""
        self._orders += 1
        bisect.insort(self._timed, _Timed(at_ms, self._orders, word))
        self._items[self._orders] = item

    def put_last(self, item: T) -> None:
        """Add an item that only finish() releases."""
        self._last.append(item)

    def due(self, position_ms: float) -> list[T]:
        """Take what this position releases, in order."""
        released: list[T] = []
        while (at_ms := self.next_ms()) is not None and at_ms <= position_ms:
            released.append(self._take())
        return released

    def next_ms(self) -> float | None:
        """The position that releases the next item; None when none waits for a position."""
        heads = [at_ms for at_ms in (self._timed_ms(), self._sync_ms()) if at_ms is not None]
        return min(heads, default=None)

    def finish(self) -> list[T]:
        """Take everything: the timed items, those between the audio, and the last."""
        return self.finish_timed() + self.finish_sync()

    def finish_timed(self) -> list[T]:
        """Take the timed items."""
        return [item for item, _, _ in self.later(float("-inf"))]

    def finish_sync(self) -> list[T]:
        """Take the items between the audio, and the last."""
        rest = [item for _, item in self._sync] + self._last
        self._last = []
        self._sync.clear()
        return rest

    def later(self, than_ms: float) -> list[tuple[T, float, bool]]:
        """Take the timed items of this position and later ones, as the arguments of put_timed()."""
        taken = [entry for entry in self._timed if entry.at_ms >= than_ms]
        self._timed = [entry for entry in self._timed if entry.at_ms < than_ms]
        return [(self._items.pop(entry.order), entry.at_ms, entry.word) for entry in taken]

    def _timed_ms(self) -> float | None:
        if not self._timed:
            return None
        head = self._timed[0]
        if not head.word:
            return head.at_ms
        following = next((entry.at_ms for entry in self._timed if entry.word and entry.at_ms > head.at_ms), None)
        return word_heard_ms(head.at_ms, following)

    def _sync_ms(self) -> float | None:
        return self._sync[0][0] if self._sync else None

    def _take(self) -> T:
        timed, sync = self._timed_ms(), self._sync_ms()
        if timed is not None and (sync is None or timed <= sync):
            return self._items.pop(self._timed.pop(0).order)
        return self._sync.popleft()[1]
