"""The visit that a speaker reports: who is told, what a late subscriber gets. Pure.

There is one visit: a kiosk has one visitor. It ends with its client, or when another client reports one.
"""

from typing import Final

import msgspec

from mien.core import wire
from mien.errors import ProtocolError
from mien.voice.sessions import Send, Session, Sessions

_NOBODY: Final = ("attract", "presence")


class Visits:
    """send(identity, message) sends to a client. now: as last reported; None when no client reports one."""

    def __init__(self, *, sessions: Sessions, send: Send) -> None:
        self._sessions = sessions
        self._send = send
        self._owner = b""
        self.now: wire.Visit | None = None

    def __contains__(self, identity: bytes) -> bool:
        return self.now is not None and identity == self._owner

    def take(self, session: Session, message: wire.Visit) -> None:
        """Tell the subscribers. Raises ProtocolError: not_allowed, malformed for a visit without its id."""
        if session.role != "speaker":
            raise ProtocolError("not_allowed", f"visit needs the role speaker; this client said {session.role}")
        if not message.visit and message.phase not in _NOBODY:
            raise ProtocolError("malformed", f"in 'visit': visit: in the phase '{message.phase}' a visit has an id")
        if session.identity not in self:
            self._end("replaced")
        told = msgspec.structs.replace(message, client=session.name)
        over = message.phase == "over"
        self.now, self._owner = (None, b"") if over else (told, session.identity)
        self._tell(self._subscribers(), told)

    def joined(self, session: Session) -> None:
        """A client has subscribed: one that may know is told where the visit stands."""
        if self.now is not None and session in self._subscribers():
            self._tell([session], self.now)

    def leave(self, identity: bytes) -> None:
        """A client has left: its visit is over."""
        if identity in self:
            self._end("client_gone")

    def _end(self, reason: wire.VisitReason) -> None:
        before, self.now, self._owner = self.now, None, b""
        if before is not None:
            over = wire.Visit(
                phase="over", visit=before.visit, language=before.language, reason=reason, client=before.client
            )
            self._tell(self._subscribers(), over)

    def _subscribers(self) -> list[Session]:
        return [session for session in self._sessions.all() if "visits" in session.topics]

    def _tell(self, sessions: list[Session], message: wire.Visit) -> None:
        for session in sessions:
            self._send(session.identity, message)
