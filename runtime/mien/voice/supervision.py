"""One door to what people elsewhere do with this kiosk: relays, visits, screen, attendance, draining. Pure; stepped."""

from collections.abc import Callable
from typing import Final, TypeAlias

from mien.core import bus, wire
from mien.core.stats import Counters
from mien.voice.attendance import Attendance
from mien.voice.draining import Draining
from mien.voice.floor import Floor
from mien.voice.relays import Relays
from mien.voice.screen_orders import ScreenOrders
from mien.voice.sessions import Send, Session, Sessions
from mien.voice.visits import Visits

Supervising: TypeAlias = wire.Relay | wire.RelayDone | wire.Visit | wire.Screen | wire.Attend | wire.Drain
NOT_FOR_OBSERVERS: Final = (wire.Relay, wire.RelayDone, wire.Visit, wire.Screen, wire.Drain)
NOT_FOR_SPEAKERS: Final = (wire.Attend,)


class Supervision:
    """send(identity, message) sends to a client, deliver() does so unlogged, publish(message) publishes to the face."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        floor: Floor,
        counters: Counters,
        send: Send,
        deliver: Send,
        publish: Callable[[bus.BusMessage], None],
    ) -> None:
        self._floor = floor
        self._publish = publish
        self.relays = Relays(sessions=sessions, floor=floor, counters=counters, send=send)
        self.visits = Visits(sessions=sessions, send=deliver)
        self.screen = ScreenOrders(publish)
        self.attendance = Attendance(publish)
        self.draining = Draining(sessions=sessions, send=send)

    def __contains__(self, identity: bytes) -> bool:
        """Whether a client reports a visit, or attends."""
        return identity in self.visits or identity in self.attendance

    def take(self, session: Session, message: Supervising, epoch: int) -> None:
        """Handle one message. Raises ProtocolError."""
        match message:
            case wire.Relay():
                self.relays.take(session, message)
            case wire.RelayDone():
                self.relays.done(session, message)
            case wire.Visit():
                self.visits.take(session, message)
            case wire.Screen():
                self.screen.take(session, message, epoch)
            case wire.Attend():
                self.attendance.take(session.identity, message)
            case wire.Drain():
                self.draining.take(session, message)

    def welcomed(self, session: Session) -> None:
        """A client has said hello: tell it what holds."""
        self.draining.welcomed(session)

    def leave(self, identity: bytes) -> None:
        """A client has left, or has lost the role that permitted what it did."""
        self.relays.leave(identity)
        self.visits.leave(identity)
        self.attendance.leave(identity)

    def face_joined(self) -> None:
        """A face has joined the bus: publish what it must know."""
        self._publish(self.screen.now)
        self._publish(self.attendance.now)

    def step(self, epoch: int) -> None:
        """Tell the face who attends, if that has changed."""
        self.attendance.step(epoch, self._floor.holder)
