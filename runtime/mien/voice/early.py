"""What arrives of turns before they begin."""

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Early(Generic[T]):
    """Keeps what arrives before its turn, for at most `limit` turns a client; the oldest are dropped.

    All that a client sent, including what its turns hold, takes at most `bytes_each`. nothing: what a turn has that got
    none. cost: about how much memory a value takes, in bytes.
    """

    def __init__(self, limit: int, bytes_each: int, nothing: T, cost: Callable[[T], int]) -> None:
        self._limit = limit
        self._bytes_each = bytes_each
        self._nothing = nothing
        self._cost = cost
        self._early: dict[bytes, dict[str, T]] = {}

    def claim(self, owner: bytes, name: str) -> T:
        """Remove and return what came for a turn that begins now."""
        return self._early.get(owner, {}).pop(name, self._nothing)

    def leave(self, owner: bytes) -> None:
        """A client has left."""
        self._early.pop(owner, None)

    def _of(self, owner: bytes, name: str) -> T:
        """What came for a turn so far."""
        return self._early.get(owner, {}).get(name, self._nothing)

    def _keep(self, owner: bytes, name: str, whole: T, held: int) -> None:
        """Replace what came for a turn, then drop the oldest until the rest fits beside `held` bytes of the turns."""
        early = self._early.get(owner, {})
        early.pop(name, None)
        if whole != self._nothing:
            self._early.setdefault(owner, early)[name] = whole
        while len(early) > self._limit or sum(map(self._cost, early.values())) > self._bytes_each - held:
            del early[next(iter(early))]
