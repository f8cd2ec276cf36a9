"""Whether the kiosk works, from what the link tells its broker: a face was seen, a turn was heard."""

from typing import Final

from mien.fleet import event
from mien.fleet.status import Health, Status

LEAST_FPS: Final = 5.0
LEAST_HEARD_MS: Final = 100.0


class Evidence:
    """Latches both. A new process begins with neither."""

    def __init__(self) -> None:
        self._level = ""
        self.face_seen = False
        self.turn_heard = False

    def observe_status(self, status: Status) -> None:
        """The level tells whether frames are of the face."""
        self._level = status.level

    def observe_health(self, health: Health) -> None:
        """Frames, while the voice knows of a face."""
        if self._level in ("full", "envelope") and (health.fps or 0.0) >= LEAST_FPS:
            self.face_seen = True

    def observe_event(self, happened: event.Event) -> None:
        """A turn of which something was heard at the speaker."""
        if isinstance(happened, event.Turn) and happened.heard_ms >= LEAST_HEARD_MS and self._level != "silent":
            self.turn_heard = True
