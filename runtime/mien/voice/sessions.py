"""The clients that said hello."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from mien.core.wire import Role, Topic
from mien.units import NS_PER_MS
from mien.voice.codec import Codec

PATIENCE_NS: Final = 500 * NS_PER_MS  # that a session without a part keeps its place where others want it


@dataclass(slots=True)
class Session:
    """One client. identity: its address on the ROUTER socket. name: for a person to read. principal: whose it is, a
    key's name or "local". topics: what it subscribed to. heard_ns: when it last sent something. acted: whether that was
    ever more than a ping."""

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


class Sessions:
    """All of them, by identity; at most `limit`, and at most `limit_each` of one principal."""

    def __init__(self, limit: int, limit_each: int) -> None:
        self._limit = limit
        self._limit_each = limit_each
        self._by_identity: dict[bytes, Session] = {}
        self._opened = 0
        self._nobodies = 0

    def __len__(self) -> int:
        return len(self._by_identity)

    def __contains__(self, identity: bytes) -> bool:
        return identity in self._by_identity

    def full(self, principal: str) -> bool:
        """Whether no further client of this principal may come in."""
        same = sum(session.principal == principal for session in self._by_identity.values())
        return len(self._by_identity) >= self._limit or same >= self._limit_each

    def longest_idle(self, principal: str, now_ns: int, has_part: Callable[[Session], bool]) -> Session | None:
        """Who gives way to a newcomer of this principal: one of its own before others', one that never did anything
        before one that did, then the one that was heard of least lately. None where all have a part, or that one came
        so lately that it had no time to take one up: a storm of newcomers only drives out itself."""
        same = sum(session.principal == principal for session in self._by_identity.values())
        idle = [
            session
            for session in self._by_identity.values()
            if not has_part(session) and (session.principal == principal or same < self._limit_each)
        ]
        first = min(idle, key=lambda s: (s.principal != principal, s.acted, s.heard_ns), default=None)
        return first if first and now_ns - first.heard_ns >= PATIENCE_NS else None

    def all(self) -> list[Session]:
        """Everyone."""
        return list(self._by_identity.values())

    @property
    def newest(self) -> str:
        """The session of the newest client that may speak; "" when there is none."""
        names = [session.session for session in self._by_identity.values() if session.role != "observer"]
        return names[-1] if names else ""

    def identities(self) -> list[bytes]:
        """Everyone's address."""
        return list(self._by_identity)

    def find(self, identity: bytes) -> Session | None:
        """The session of an address, or None."""
        return self._by_identity.get(identity)

    def name(self, identity: bytes) -> str:
        """What a person calls this client; "" for one that is gone."""
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
    ) -> Session:
        """Let a client in, anew if it was in."""
        self._opened += 1
        session = Session(
            identity, f"{epoch:x}-{self._opened}", name, role, principal, codec, encoding, heard_ns=now_ns
        )
        self._by_identity.pop(identity, None)
        self._by_identity[identity] = session
        return session

    def nobody(self) -> bytes:
        """An owner for what is left of a client that is gone, which no connection ever has for an address."""
        self._nobodies += 1
        return b"nobody/%d" % self._nobodies

    def close(self, identity: bytes) -> Session | None:
        """Forget a client; None when it was not there."""
        return self._by_identity.pop(identity, None)
