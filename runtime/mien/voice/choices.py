"""Whose buttons the customer sees, who learns what they chose. Pure.

There is one set of buttons. A newer one replaces that of another client, which is told, and a set ends with its client.
"""

from collections.abc import Callable

from mien.core import bus, wire
from mien.core.stats import Counters
from mien.errors import ProtocolError
from mien.voice.sessions import Send, Session

Publish = Callable[[bus.BusMessage], None]


class Choices:
    """send(identity, message) sends to a client, publish(message) to the face. now: as last published."""

    def __init__(self, *, counters: Counters, send: Send, publish: Publish) -> None:
        self._counters = counters
        self._send = send
        self._publish = publish
        self._owner = b""
        self._made = False
        self._face: bool | None = None
        self.now = bus.Choices(epoch=0, number=0)

    def __contains__(self, identity: bytes) -> bool:
        return bool(self.now.items) and identity == self._owner

    def offer(self, session: Session, message: wire.Choices, epoch: int) -> None:
        """Show this client's choices; none takes away its own. Raises ProtocolError (malformed).

        An id twice, or a QR code without a button, is malformed.
        """
        ids = [choice.id for choice in message.items]
        if twice := next((name for name in ids if ids.count(name) > 1), ""):
            raise ProtocolError(
                "malformed", f"in 'choices': items: the id '{twice}' is there twice; each needs its own"
            )
        identity = session.identity
        if message.qr and not message.items:
            raise ProtocolError("malformed", "in 'choices': qr: a code stands beside buttons; offer at least one")
        if not message.items:
            self.leave(identity, epoch)
            return
        if self.now.items and identity != self._owner:
            self._counters.count("choices_replaced")
            self._send(self._owner, wire.Offered(state="replaced"))
        self._owner = identity
        self._counters.count("choices_offered")
        items = tuple((choice.id, choice.text) for choice in message.items)
        self._show(epoch, items, again=message.again, qr=message.qr)
        if not self._face:
            self._send(identity, wire.Offered(state="no_face"))

    def leave(self, identity: bytes, epoch: int) -> None:
        """A client has left or withdraws: its choices end."""
        if identity in self:
            self._owner = b""
            self._show(epoch, ())

    def face(self, present: bool) -> None:
        """Whether a face reports. A client whose buttons nobody can see any more is told."""
        lost, self._face = self._face is True and not present, present
        if lost and self.now.items:
            self._send(self._owner, wire.Offered(state="no_face"))

    def shown(self, report: bus.ChoicesShown) -> None:
        """The face shows an offer."""
        self._face = True
        if report.number == self.now.number and self.now.items:
            self._send(self._owner, wire.Offered(state="shown", shortened=report.shortened, qr=report.qr))

    def made(self, report: bus.ChoiceMade) -> None:
        """The customer chose. A choice of an earlier offer is dropped: its client has moved on."""
        known = any(name == report.id for name, _ in self.now.items)
        if report.number != self.now.number or not known or (self._made and not self.now.again):
            self._counters.count("choices_stale")
            return
        self._made = True
        self._counters.count("choices_made")
        self._send(self._owner, wire.Chosen(id=report.id, by=report.by, at_ns=report.at_ns))

    def _show(self, epoch: int, items: tuple[tuple[str, str], ...], *, again: bool = False, qr: str = "") -> None:
        self._made = False
        self.now = bus.Choices(epoch=epoch, number=self.now.number + 1, items=items, again=again, qr=qr)
        self._publish(self.now)
