"""The clients that said hello."""

from dataclasses import dataclass


@dataclass(slots=True)
class Session:
    """One client. identity: its address on the ROUTER socket. name: for a person to read."""

    identity: bytes
    session: str
    name: str
    role: str
    rate_hz: int


class Sessions:
    """All of them, by identity; at most `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._by_identity: dict[bytes, Session] = {}
        self._opened = 0

    def __len__(self) -> int:
        return len(self._by_identity)

    def __contains__(self, identity: bytes) -> bool:
        return identity in self._by_identity

    @property
    def full(self) -> bool:
        """Whether no further client may come in."""
        return len(self._by_identity) >= self._limit

    def identities(self) -> list[bytes]:
        """Everyone's address."""
        return list(self._by_identity)

    def find(self, identity: bytes) -> Session | None:
        """The session of an address, or None."""
        return self._by_identity.get(identity)

    def open(self, identity: bytes, name: str, role: str, rate_hz: int, epoch: int) -> Session:
        """Let a client in, anew if it was in."""
        self._opened += 1
        session = Session(identity, f"{epoch:x}-{self._opened}", name, role, rate_hz)
        self._by_identity[identity] = session
        return session

    def close(self, identity: bytes) -> Session | None:
        """Forget a client; None when it was not there."""
        return self._by_identity.pop(identity, None)
