"""The items of one conversation, from their first sound until they were heard."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

_SAMPLE_BYTES: Final = 2
_OVER_KEPT: Final = 256  # late sound comes within seconds, and an answer has few items


@dataclass(frozen=True, slots=True)
class Heard:
    """How one item was heard.

    played_ms: how much of it was heard. cut: whether it was cut off, by the customer or a lost voice. end_ms: where to
    truncate it: what was heard up to the customer's first sound, and never more than was received. reason: as in
    Finished, or `lost` with a voice that stopped, or `empty` for an item without sound.
    """

    item: str
    played_ms: float
    received_ms: float
    cut: bool
    end_ms: int
    reason: str


@dataclass(slots=True, eq=False)
class Item:
    """One item. received_bytes: of its sound. ended: no more of it comes. texts: its transcript before any sound."""

    name: str
    rate_hz: int
    received_bytes: int = 0
    ended: bool = False
    texts: list[str] = field(default_factory=list)

    @property
    def received_ms(self) -> float:
        """How much sound of it was received, in whole samples."""
        return self.received_bytes // _SAMPLE_BYTES * 1000 / self.rate_hz

    def heard(self, played_ms: float, *, cut: bool, reason: str, barge_in_ms: float | None = None) -> Heard:
        """How it was heard. barge_in_ms: as in Finished. A value beyond what was received is clamped to it."""
        upto = played_ms if barge_in_ms is None else barge_in_ms
        end_ms = max(0, int(min(upto, self.received_ms)))
        return Heard(self.name, min(played_ms, self.received_ms), self.received_ms, cut, end_ms, reason)


class Items:
    """The items that are being received or heard, in the order of their first sound.

    An item that is over stays over: the sound of an interrupted answer goes on arriving for a while.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._open: dict[str, Item] = {}
        self._over: deque[str] = deque(maxlen=_OVER_KEPT)

    def __iter__(self) -> Iterator[Item]:
        return iter(list(self._open.values()))

    def find(self, name: str) -> Item | None:
        """The item, begun when it is new; None once it is over, or when no more of it was to come."""
        if name in self._over:
            return None
        item = self._open.setdefault(name, Item(name, self._rate_hz))
        return None if item.ended else item

    def end(self, name: str) -> list[Item]:
        """No more comes for this item, or with "" for any. Returns those that had not ended."""
        ended = [item for item in self._open.values() if not item.ended and name in ("", item.name)]
        for item in ended:
            item.ended = True
            if not item.received_bytes:
                self.close(item)
        return ended

    def close(self, item: Item) -> bool:
        """The item is over. Returns whether it was not over before."""
        if self._open.pop(item.name, None) is None:
            return False
        self._over.append(item.name)
        return True
