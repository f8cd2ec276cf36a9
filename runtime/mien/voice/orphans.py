"""Sessions whose connection has closed while their turns are still played, or were until lately.

A client that crashed and restarts takes the place of its orphaned session and learns what became of its turns.
"""

from dataclasses import dataclass, field
from typing import Final

import msgspec

from mien.core import wire
from mien.units import NS_PER_S
from mien.voice.sessions import Session
from mien.voice.turn import Turn
from mien.voice.turn_queue import TurnQueue

KEPT_NS: Final = 60 * NS_PER_S  # how long the outcomes of their turns are remembered
SESSIONS_KEPT: Final = 32
ENDS_KEPT: Final = 64  # per session


@dataclass(slots=True)
class Orphan:
    """A session without a connection.

    ends: outcomes of its turns since it left. said_bye: it left on purpose, so a session of the same name is no restart
    of it. claimed: another session has taken its place.
    """

    session: Session
    gone_ns: int
    said_bye: bool
    claimed: bool = False
    ends: list[wire.ReplacedTurn] = field(default_factory=list)


class Orphans:
    """All orphaned sessions by the owner of their turns. Bounded: the oldest are dropped; their turns still play."""

    def __init__(self, queue: TurnQueue) -> None:
        self._queue = queue
        self._orphans: dict[bytes, Orphan] = {}

    def __len__(self) -> int:
        return len(self._orphans)

    def find(self, owner: bytes) -> Session | None:
        """The orphaned session that owns a turn."""
        orphan = self._orphans.get(owner)
        return orphan.session if orphan else None

    def add(self, session: Session, now_ns: int, *, said_bye: bool) -> None:
        """A session has ended. One without unfinished turns is not kept."""
        if not self.turns_of(session.identity):
            return
        while len(self._orphans) >= SESSIONS_KEPT:
            del self._orphans[next(iter(self._orphans))]
        self._orphans[session.identity] = Orphan(session, now_ns, said_bye)

    def reassign(self, owner: bytes, heir: bytes) -> None:
        """The owner's turns have a new owner."""
        if owner in self._orphans:
            self._orphans[heir] = self._orphans.pop(owner)

    def finished(self, owner: bytes, message: wire.Finished) -> None:
        """A turn of an orphaned session has ended."""
        orphan = self._orphans.get(owner)
        if orphan is not None and len(orphan.ends) < ENDS_KEPT:
            orphan.ends.append(msgspec.convert(message, wire.ReplacedTurn, from_attributes=True))

    def claim(self, hello: wire.Hello, principal: str) -> list[tuple[bytes, Orphan]]:
        """The orphans that this hello restarts, with the owner of their turns. Each can be claimed once."""
        mine = [(owner, orphan) for owner, orphan in self._orphans.items() if self._is_heir(hello, principal, orphan)]
        for _, orphan in mine:
            orphan.claimed = True
        return mine

    def turns_of(self, owner: bytes) -> list[Turn]:
        """Its turns that are still to be played."""
        return [turn for turn in self._queue.turns if turn.owner == owner and not turn.interrupted]

    def sweep(self, now_ns: int) -> None:
        """Drop the orphans that nobody can claim any more. Call it about once a second."""
        for owner, orphan in list(self._orphans.items()):
            if now_ns - orphan.gone_ns > KEPT_NS and not self.turns_of(owner):
                del self._orphans[owner]

    @staticmethod
    def _is_heir(hello: wire.Hello, principal: str, orphan: Orphan) -> bool:
        old = orphan.session
        return (
            old.principal == principal
            and not orphan.claimed
            and (
                old.session == hello.replaces
                or ((old.name, old.role) == (hello.client, hello.role) and not orphan.said_bye)
            )
        )
