"""Leases: who watches which streams of a board, until when.

A watcher repeats its request while a person looks; one that is gone is forgotten when its lease ends.
"""

from typing import Final

from mien.errors import FleetError
from mien.fleet.topics import Stream

MAX_WATCHERS: Final = 32


class Leases:
    """Times are monotonic, in seconds."""

    def __init__(self) -> None:
        self._until_s: dict[str, dict[Stream, float]] = {}

    def __bool__(self) -> bool:
        return bool(self._until_s)

    def extend(self, user: str, streams: tuple[Stream, ...], for_s: float, now_s: float) -> frozenset[Stream]:
        """Let a user watch these streams too; none ends all of its leases. Returns those that are new to the user.

        A lease never becomes shorter: two windows of one person may ask for different streams. Raises FleetError when
        MAX_WATCHERS watch already.
        """
        if not streams or not for_s:
            self._until_s.pop(user, None)
            return frozenset()
        if user not in self._until_s and len(self._until_s) >= MAX_WATCHERS:
            raise FleetError(f"{MAX_WATCHERS} users watch this board already; try again when one has left")
        leases = self._until_s.setdefault(user, {})
        new = frozenset(streams) - leases.keys()
        for stream in streams:
            leases[stream] = max(leases.get(stream, 0.0), now_s + for_s)
        return new

    def expire(self, now_s: float) -> None:
        """Forget the leases that have ended."""
        for user, leases in list(self._until_s.items()):
            for stream in [stream for stream, until_s in leases.items() if until_s <= now_s]:
                del leases[stream]
            if not leases:
                del self._until_s[user]

    @property
    def streams(self) -> frozenset[Stream]:
        """What somebody watches."""
        return frozenset(stream for leases in self._until_s.values() for stream in leases)

    def users(self, stream: Stream | None = None) -> tuple[str, ...]:
        """Who watches, or who watches this stream; sorted."""
        return tuple(sorted(user for user, leases in self._until_s.items() if stream is None or stream in leases))
