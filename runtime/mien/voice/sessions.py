"""The clients that have said hello."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from mien.core.wire import Message, Role, Topic
from mien.units import NS_PER_MS
from mien.voice.codec import Codec

PATIENCE_NS: Final = 500 * NS_PER_MS  # how long an idle session keeps its place when others want it

Standing = Role | Literal["stranger"]
Send = Callable[[bytes, Message], None]
"""Sends a message to the client with this identity."""


@dataclass(slots=True)
class Session:
    """One client.

    identity: the router's name for its connection. name: for people to read. principal: the name of its key, or
    "local". topics: what it subscribed to. heard_ns: when it last sent a message. acted: whether it ever sent more than
    pings. capabilities: what its hello listed.
    """

    identity: bytes
    session: str
    name: str
    role: Role
    principal: str
    codec: Codec
    encoding: str = "s16le"
    topics: frozenset[Topic] = field(default_factory=frozenset)
    heard_ns: int = 0
    acted: bool = False
    capabilities: frozenset[str] = frozenset()


class Sessions:
    """All sessions by identity: at most `limit`, and at most `limit_each` of one principal."""

    def __init__(self, limit: int, limit_each: int) -> None:
        self._limit = limit
        self._limit_each = limit_each
        self._by_identity: dict[bytes, Session] = {}
        self._opened = 0
        self._orphan_owners = 0

    def __len__(self) -> int:
        return len(self._by_identity)

    def __contains__(self, identity: bytes) -> bool:
        return identity in self._by_identity

    def full(self, principal: str) -> bool:
        """Whether this principal may open no further session."""
        same = sum(session.principal == principal for session in self._by_identity.values())
        return len(self._by_identity) >= self._limit or same >= self._limit_each

    def longest_idle(self, principal: str, now_ns: int, has_part: Callable[[Session], bool]) -> Session | None:
        """The session that is closed to make room for a newcomer of this principal, or None.

        Preferred: one of the same principal, then one that never acted, then the one that was silent for longest. None
        when all have a part in the conversation, or when that one is younger than PATIENCE_NS: a storm of newcomers
        only displaces itself.
        """
        same = sum(session.principal == principal for session in self._by_identity.values())
        idle = [
            session
            for session in self._by_identity.values()
            if not has_part(session) and (session.principal == principal or same < self._limit_each)
        ]
        first = min(idle, key=lambda s: (s.principal != principal, s.acted, s.heard_ns), default=None)
        return first if first and now_ns - first.heard_ns >= PATIENCE_NS else None

    def all(self) -> list[Session]:
        """All sessions."""
        return list(self._by_identity.values())

    @property
    def newest(self) -> str:
        """The session of the newest client that may speak; "" when there is none."""
        names = [session.session for session in self._by_identity.values() if session.role != "observer"]
        return names[-1] if names else ""

    def identities(self) -> list[bytes]:
        """The identities of all sessions."""
        return list(self._by_identity)

    def find(self, identity: bytes) -> Session | None:
        """The session of a connection, or None."""
        return self._by_identity.get(identity)

    def name(self, identity: bytes) -> str:
        """The client's name; "" for one that has left."""
        session = self._by_identity.get(identity)
        return session.name if session else ""

    def open(
        self,
        identity: bytes,
        *,
        name: str,
        role: Role,
        principal: str,
        codec: Codec,
        encoding: str,
        epoch: int,
        now_ns: int,
        capabilities: frozenset[str] = frozenset(),
    ) -> Session:
        """Open a session, replacing the connection's earlier one."""
        self._opened += 1
        session = Session(
            identity,
            f"{epoch:x}-{self._opened}",
            name,
            role,
            principal,
            codec,
            encoding,
            heard_ns=now_ns,
            capabilities=capabilities,
        )
        self._by_identity.pop(identity, None)
        self._by_identity[identity] = session
        return session

    def new_orphan_owner(self) -> bytes:
        """An owner for what a client left behind. No connection ever has this identity."""
        self._orphan_owners += 1
        return b"orphan/%d" % self._orphan_owners

    def close(self, identity: bytes) -> Session | None:
        """Remove a session; None if there was none."""
        return self._by_identity.pop(identity, None)
