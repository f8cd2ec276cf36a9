"""Whether new visitors are taken: ordered by an agent, told to the speakers. Pure.

It belongs to the voice and not to a session, as the screen's orders do: it lasts until the next, or the end of the
voice.
"""

from typing import Final

from mien.core import wire
from mien.errors import ProtocolError
from mien.voice.sessions import Send, Session, Sessions

CAPABILITY: Final = "drain"


class Draining:
    """send(identity, message) sends to a client. on: as last ordered."""

    def __init__(self, *, sessions: Sessions, send: Send) -> None:
        self._sessions = sessions
        self._send = send
        self.on = False

    def take(self, session: Session, message: wire.Drain) -> None:
        """Tell every speaker that takes visitors, if this changes anything. Raises ProtocolError (not_allowed)."""
        if session.role != "agent":
            raise ProtocolError("not_allowed", f"drain needs the role agent; this client said {session.role}")
        if message.on == self.on:
            return
        self.on = message.on
        for speaker in self._sessions.all():
            self.welcomed(speaker)

    def welcomed(self, session: Session) -> None:
        """Tell a speaker how it stands, if it wants to know."""
        if session.role == "speaker" and CAPABILITY in session.capabilities:
            self._send(session.identity, wire.Draining(on=self.on))
