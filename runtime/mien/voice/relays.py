"""Texts that agents hand to the voice stack: who gets them, who learns what became of them. Pure."""

from typing import Final

from mien.core import wire
from mien.core.stats import Counters
from mien.errors import ProtocolError
from mien.voice.floor import Floor
from mien.voice.sessions import Send, Session, Sessions

CAPABILITY: Final = "relay"
REMEMBERED: Final = 64  # texts whose `relay_done` may still come; older ones are forgotten


class Relays:
    """send(identity, message) sends to a client."""

    def __init__(self, *, sessions: Sessions, floor: Floor, counters: Counters, send: Send) -> None:
        self._sessions = sessions
        self._floor = floor
        self._counters = counters
        self._send = send
        self._senders: dict[tuple[bytes, str], bytes] = {}

    def take(self, session: Session, message: wire.Relay) -> None:
        """Hand an agent's text to the newest speaker that takes such. Raises ProtocolError.

        not_allowed: no agent. floor_taken: to be said while another agent holds the floor. no_speaker.
        """
        if session.role != "agent":
            raise ProtocolError("not_allowed", f"relay needs the role agent; this client said {session.role}")
        if message.kind == "say":
            self._floor.check_may_act(session.identity)
        speaker = next((one for one in reversed(self._sessions.all()) if _takes(one)), None)
        if speaker is None:
            raise ProtocolError(
                "no_speaker",
                "no speaker takes relayed texts: none is connected, or its hello does not list the capability 'relay'",
                retryable=True,
            )
        self._senders.pop((speaker.identity, message.id), None)
        while len(self._senders) >= REMEMBERED:
            del self._senders[next(iter(self._senders))]
        self._senders[speaker.identity, message.id] = session.identity
        self._counters.count(f"relayed_{message.kind}")
        self._send(
            speaker.identity, wire.Relayed(kind=message.kind, text=message.text, sender=session.name, id=message.id)
        )
        self._send(session.identity, wire.RelayTaken(id=message.id, speaker=speaker.name))

    def done(self, session: Session, message: wire.RelayDone) -> None:
        """A speaker says what became of a text: its agent is told. Raises ProtocolError (not_allowed)."""
        if session.role != "speaker":
            raise ProtocolError("not_allowed", f"relay_done needs the role speaker; this client said {session.role}")
        sender = self._senders.pop((session.identity, message.id), None)
        if sender is None:  # its agent has left, or has relayed many since
            self._counters.count("relays_stale")
        else:
            self._send(sender, message)

    def leave(self, identity: bytes) -> None:
        """A client has left: nobody reports, or nobody is told."""
        for key in [key for key, sender in self._senders.items() if identity in (key[0], sender)]:
            del self._senders[key]


def _takes(session: Session) -> bool:
    return session.role == "speaker" and CAPABILITY in session.capabilities
