"""Who listens or speaks through this face from elsewhere, for the sign on it. Pure; stepped.

Each client says so for itself, until it leaves. An agent that holds the floor speaks, whatever it has said.
"""

from collections.abc import Callable

from mien.core import bus, wire


class Attendance:
    """publish(message) publishes to the face. now: as last published."""

    def __init__(self, publish: Callable[[bus.BusMessage], None]) -> None:
        self._publish = publish
        self._said: dict[bytes, wire.Attend] = {}
        self.now = bus.AttendSign(epoch=0)

    def __contains__(self, identity: bytes) -> bool:
        return identity in self._said

    def take(self, identity: bytes, message: wire.Attend) -> None:
        """A person begins or ends to listen or to speak. step() tells the face."""
        if message.listening or message.speaking:
            self._said[identity] = message
        else:
            self._said.pop(identity, None)

    def leave(self, identity: bytes) -> None:
        """A client has left."""
        self._said.pop(identity, None)

    def step(self, epoch: int, holder: bytes | None) -> None:
        """Publish what has changed. holder: who holds the floor."""
        if not (self._said or holder or self.now.listening or self.now.speaking):
            return  # as in nearly every step
        people = list(self._said.values())
        nameless = holder is not None and holder not in self._said
        names = {one.name for one in people} | ({""} if nameless else set())
        sign = bus.AttendSign(
            epoch=self.now.epoch,
            listening=any(one.listening for one in people),
            speaking=holder is not None or any(one.speaking for one in people),
            name=names.pop() if len(names) == 1 else "",
        )
        if sign != self.now:
            self.now = bus.AttendSign(epoch=epoch, listening=sign.listening, speaking=sign.speaking, name=sign.name)
            self._publish(self.now)
