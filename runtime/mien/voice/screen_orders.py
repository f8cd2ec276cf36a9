"""What an operator wants of the screen. Pure.

It belongs to the voice and not to a session, as the volume does: a remote switch must not turn back when its link
reconnects. It lasts until the next, or the end of the voice.
"""

from collections.abc import Callable

from mien.core import bus, wire
from mien.errors import ProtocolError
from mien.voice.sessions import Session


class ScreenOrders:
    """publish(message) publishes to the face. now: as last published."""

    def __init__(self, publish: Callable[[bus.BusMessage], None]) -> None:
        self._publish = publish
        self.now = bus.ScreenOrder(epoch=0)

    def take(self, session: Session, message: wire.Screen, epoch: int) -> None:
        """Order what an agent wants. Raises ProtocolError (not_allowed)."""
        if session.role != "agent":
            raise ProtocolError("not_allowed", f"screen needs the role agent; this client said {session.role}")
        brightness = self.now.brightness if message.brightness is None else message.brightness
        self.now = bus.ScreenOrder(epoch=epoch, power=message.power, brightness=brightness)
        self._publish(self.now)
