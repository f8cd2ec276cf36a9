"""Sessions whose connection is gone while their turns are still spoken, or were lately: for the restart of a client
that crashed, which takes their place and is told what became of what they sent."""

from dataclasses import dataclass, field
from typing import Final

import msgspec

from mien.core import wire
from mien.units import NS_PER_S
from mien.voice.desk import Desk
from mien.voice.sessions import Session
from mien.voice.turn import Turn

KEPT_NS: Final = 60 * NS_PER_S  # how long the ends of their turns are remembered
SESSIONS_KEPT: Final = 32
ENDS_KEPT: Final = 64  # a session


@dataclass(slots=True)
class Orphan:
    """A session without a connection. ends: of its turns, since it is gone. said_bye: on purpose, so that a session of
    the same name is no restart of it. claimed: another has taken its place."""

    session: Session
    gone_ns: int
    said_bye: bool
    claimed: bool = False
    ends: list[wire.ReplacedTurn] = field(default_factory=list)


class Departed:
    """All orphans, by the owner of their turns. Bounded: the oldest give way, and with them only what would be told."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._orphans: dict[bytes, Orphan] = {}

    def __len__(self) -> int:
        return len(self._orphans)

    def find(self, owner: bytes) -> Session | None:
        """Whose turn this is, or was."""
        orphan = self._orphans.get(owner)
        return orphan.session if orphan else None

    def add(self, session: Session, now_ns: int, *, said_bye: bool) -> None:
        """A session is over. One that left nothing behind needs no heir."""
        if not self.turns_of(session.identity):
            return
        while len(self._orphans) >= SESSIONS_KEPT:
            del self._orphans[next(iter(self._orphans))]
        self._orphans[session.identity] = Orphan(session, now_ns, said_bye)

    def disown(self, owner: bytes, heir: bytes) -> None:
        """The owner's turns go by another name from now on."""
        if owner in self._orphans:
            self._orphans[heir] = self._orphans.pop(owner)

    def finished(self, owner: bytes, message: wire.Finished) -> None:
        """One of its turns ended."""
        orphan = self._orphans.get(owner)
        if orphan is not None and len(orphan.ends) < ENDS_KEPT:
            orphan.ends.append(wire.ReplacedTurn(**msgspec.structs.asdict(message)))

    def claim(self, hello: wire.Hello, principal: str) -> list[tuple[bytes, Orphan]]:
        """The orphans that whoever says this hello is the restart of, with the owner of their turns; each but once."""
        mine = [(owner, orphan) for owner, orphan in self._orphans.items() if self._is_heir(hello, principal, orphan)]
        for _, orphan in mine:
            orphan.claimed = True
        return mine

    def turns_of(self, owner: bytes) -> list[Turn]:
        """Its turns that go on."""
        return [turn for turn in self._desk.turns if turn.owner == owner and not turn.interrupted]

    def sweep(self, now_ns: int) -> None:
        """Forget those of whom nothing is left to tell. To be called about once a second."""
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
