"""News of who is in front of the kiosk, for clients, for the face. Pure; stepped with the time."""

from collections.abc import Callable
from typing import Final

from mien.core import bus, wire
from mien.units import NS_PER_MS
from mien.voice.sessions import Send, Sessions

EVERY_NS: Final = 250 * NS_PER_MS  # a sensor that flaps costs the clients no more
SOURCES: Final = 16  # that may have news at the same moment; others are not told


class Presence:
    """send(identity, message) sends to a client, publish(message) to the face."""

    def __init__(self, *, sessions: Sessions, send: Send, publish: Callable[[bus.BusMessage], None]) -> None:
        self._sessions = sessions
        self._send = send
        self._publish = publish
        self._news: dict[str, tuple[wire.Presence, bytes]] = {}
        self._due_ns = 0

    def take(self, message: wire.Presence, sender: bytes = b"") -> None:
        """A sensor, or the face, has news; of each source only the newest is told. sender: is not told itself."""
        if message.source in self._news or len(self._news) < SOURCES:
            self._news[message.source] = (message, sender)

    @property
    def busy(self) -> bool:
        """Whether there is news to tell."""
        return bool(self._news)

    def step(self, now_ns: int, epoch: int) -> None:
        """Tell what is new, if that is due."""
        if not self._news or now_ns < self._due_ns:
            return
        self._due_ns = now_ns + EVERY_NS
        news, self._news = self._news, {}
        for message, sender in news.values():
            for session in self._sessions.all():
                if session.identity != sender and (session.role != "observer" or "state" in session.topics):
                    self._send(session.identity, message)
        if any(message.present for message, _ in news.values()):
            self._publish(bus.PresenceCue(epoch=epoch))
