"""A customer who would like to talk to a person: who is told, who answers. Pure.

There is one call: a kiosk has one customer. It ends with its client, or when that withdraws it.
"""

from collections.abc import Iterable

import msgspec

from mien.core import wire
from mien.errors import ProtocolError
from mien.units import ns_to_ms
from mien.voice.sessions import Send, Session, Sessions


class Calls:
    """send(identity, message) sends to a client."""

    def __init__(self, *, sessions: Sessions, send: Send) -> None:
        self._sessions = sessions
        self._send = send
        self._owner = b""
        self._call: wire.Call | None = None
        self._since_ns = 0

    def __contains__(self, identity: bytes) -> bool:
        return self._call is not None and identity == self._owner

    def take(self, session: Session, message: wire.Call, now_ns: int) -> None:
        """Open, renew or withdraw this client's call. A call of another client gives way to a new one."""
        if not message.open:
            self.leave(session.identity)
            return
        if session.identity not in self:
            self._since_ns = now_ns
        self._owner = session.identity
        self._call = msgspec.structs.replace(message, client=session.name)
        self._tell(self._listeners(), now_ns)

    def answer(self, session: Session, message: wire.AnswerCall, now_ns: int) -> None:
        """An agent answers. Raises ProtocolError: not_allowed, no_call."""
        if session.role != "agent":
            raise ProtocolError("not_allowed", f"answer_call needs the role agent; this client said {session.role}")
        if self._call is None:
            raise ProtocolError("no_call", "nobody is calling; the customer has left, or has been helped")
        waited_ms = ns_to_ms(now_ns - self._since_ns)
        answered = wire.CallAnswered(
            agent=session.name, coming=message.coming, in_s=message.in_s, waited_ms=round(waited_ms, 1)
        )
        self._send(self._owner, answered)

    def joined(self, session: Session, now_ns: int) -> None:
        """A client has said hello or subscribed: one that may know is told of a call that is open."""
        if session in self._listeners():
            self._tell([session], now_ns)

    def leave(self, identity: bytes) -> None:
        """A client has left or withdraws its call."""
        if identity in self and (call := self._call) is not None:
            self._call, self._owner = None, b""
            closed = wire.Call(open=False, client=call.client)
            for session in self._listeners():
                self._send(session.identity, closed)

    def _tell(self, sessions: Iterable[Session], now_ns: int) -> None:
        if self._call is None:
            return
        message = msgspec.structs.replace(self._call, waited_ms=round(ns_to_ms(now_ns - self._since_ns), 1))
        for session in sessions:
            self._send(session.identity, message)

    def _listeners(self) -> list[Session]:
        return [one for one in self._sessions.all() if self._may_know(one) and one.identity != self._owner]

    def _may_know(self, session: Session) -> bool:
        return session.role == "agent" or "calls" in session.topics
