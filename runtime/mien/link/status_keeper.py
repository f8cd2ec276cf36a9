"""What `status` says: the whole state, published on a change, at most five times a second. Pure."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from mien.fleet.status import Status
from mien.units import NS_PER_MS

EVERY_NS: Final = 200 * NS_PER_MS


class StatusKeeper:
    """first: the state to begin with. changed() is called after every change."""

    def __init__(self, first: Status, changed: Callable[[], None] = lambda: None) -> None:
        self.now = first
        self._changed = changed
        self._published: Status | None = None
        self._next_ns = 0

    def change(self, **fields: Any) -> None:
        """Set fields of the status. Values are those of `mien.fleet.status.Status`."""
        before, self.now = self.now, msgspec.structs.replace(self.now, **fields)
        if self.now != before:
            self._changed()

    @property
    def due_ns(self) -> int | None:
        """When due() has a status to publish; None without a change."""
        return None if self.now == self._published else self._next_ns

    def due(self, now_ns: int, at: float | None) -> Status | None:
        """The status to publish now, with `at` (UTC seconds); None without a change, or too soon after one."""
        if self.now == self._published or now_ns < self._next_ns:
            return None
        self._published = self.now
        self._next_ns = now_ns + EVERY_NS
        return msgspec.structs.replace(self.now, at=at)
