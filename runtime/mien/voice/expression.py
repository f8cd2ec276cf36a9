"""What clients have set on the face beside speech."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from mien.core import bus, wire

Publish = Callable[[bus.BusMessage], None]
_AT_REST: Final[dict[str, dict[str, Any]]] = {
    "state": {"state": "idle"},
    "emotion": {"emotion": "neutral", "intensity": 0.0},
    "look": {"look_x": None, "look_y": None},
}


class Expressions:
    """now: the complete expression as last published. publish(message) publishes to the face."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._owners: dict[str, bytes] = {}
        self.now = bus.Expression(epoch=0)

    def take(self, owner: bytes, message: wire.ClientMessage, epoch: int) -> None:
        """Apply a state, an emotion, a look or a gesture."""
        match message:
            case wire.State():
                self._set(owner, "state", epoch, {"state": message.state})
            case wire.Emotion():
                self._set(owner, "emotion", epoch, {"emotion": message.name, "intensity": message.intensity})
            case wire.LookAt():
                self._set(owner, "look", epoch, {"look_x": message.x, "look_y": message.y})
            case wire.Gesture():
                self._publish(bus.GestureCue(epoch=epoch, name=message.name))

    def owned_by(self, owner: bytes) -> bool:
        """Whether this client has set a part that is not at rest."""
        return owner in self._owners.values()

    def leave(self, owner: bytes, epoch: int) -> None:
        """A client has left: reset what it set."""
        parts = [part for part, whose in self._owners.items() if whose == owner]
        for part in parts:
            self._set(owner, part, epoch, _AT_REST[part])

    def _set(self, owner: bytes, part: str, epoch: int, fields: dict[str, Any]) -> None:
        self._owners[part] = owner
        if fields == _AT_REST[part]:
            del self._owners[part]
        self.now = msgspec.structs.replace(self.now, epoch=epoch, **fields)
        self._publish(self.now)
