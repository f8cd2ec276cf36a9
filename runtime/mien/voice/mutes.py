"""Who has muted the microphone: the configuration, or clients, each until it unmutes or leaves."""

from mien.errors import ProtocolError
from mien.voice.sessions import Session

_REMEDY = (
    "the configuration mutes the microphone; set ear.muted = false in mien.toml and restart mien-voice and mien-ear"
)


class Mutes:
    """configured: [ear] muted, which no client can lift. changes: how often a client muted or unmuted."""

    def __init__(self, *, configured: bool) -> None:
        self.configured = configured
        self._names: dict[bytes, str] = {}
        self.changes = 0

    def __bool__(self) -> bool:
        return self.configured or bool(self._names)

    def __contains__(self, identity: bytes) -> bool:
        return identity in self._names

    @property
    def by_clients(self) -> bool:
        """Whether any client mutes."""
        return bool(self._names)

    @property
    def why(self) -> str:
        """Who mutes, and the remedy."""
        if self.configured:
            return _REMEDY
        return f"muted by {', '.join(sorted(set(self._names.values())))}; it ends when all of them unmute or leave"

    def mute(self, session: Session) -> None:
        """Mute for this client."""
        self._names[session.identity] = session.name
        self.changes += 1

    def unmute(self, session: Session) -> None:
        """Withdraw this client's mute. Raises ProtocolError (not_allowed) while the configuration mutes."""
        self.leave(session.identity)
        if self.configured:
            raise ProtocolError("not_allowed", _REMEDY)

    def leave(self, identity: bytes) -> None:
        """A client has left, or has lost the role that permitted it."""
        self.changes += self._names.pop(identity, None) is not None
