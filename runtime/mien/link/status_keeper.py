"""What `status` says: the whole state, published on a change, at most five times a second. Pure."""

from typing import Any, Final

import msgspec

from mien.fleet.status import Status
from mien.units import NS_PER_MS

EVERY_NS: Final = 200 * NS_PER_MS


class StatusKeeper:
    """first: the state to begin with."""

    def __init__(self, first: Status) -> None:
        self.now = first
        self._published: Status | None = None
        self._next_ns = 0

    def change(self, **fields: Any) -> None:
        """Set fields of the status. Values are those of `mien.fleet.status.Status`."""
        self.now = msgspec.structs.replace(self.now, **fields)

    def due(self, now_ns: int, at: float | None) -> Status | None:
        """The status to publish now, with `at` (UTC seconds); None without a change, or too soon after one."""
        if self.now == self._published or now_ns < self._next_ns:
            return None
        self._published = self.now
        self._next_ns = now_ns + EVERY_NS
        return msgspec.structs.replace(self.now, at=at)
