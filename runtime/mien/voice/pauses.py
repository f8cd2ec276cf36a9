"""Who holds the playhead, and for how long at most.

A pause is its client's. Anyone who may steer the voice may end all of them (resume); otherwise each ends with its own
client (an interrupt, or when it leaves), with a takeover, or when it has lasted for limit_ms.
"""

from collections.abc import Callable

from mien.core import wire
from mien.units import NS_PER_MS


class Pauses:
    """send(owner, message) tells a client whose pause was ended by others or by time."""

    def __init__(self, limit_ms: int, send: Callable[[bytes, wire.Message], None]) -> None:
        self._limit_ns = limit_ms * NS_PER_MS
        self._send = send
        self._since_ns: dict[bytes, int] = {}

    def __bool__(self) -> bool:
        return bool(self._since_ns)

    def __contains__(self, owner: bytes) -> bool:
        return owner in self._since_ns

    def pause(self, owner: bytes, now_ns: int) -> None:
        """Hold the playhead for this client. To ask again does not make it longer."""
        self._since_ns.setdefault(owner, now_ns)

    def resume(self, owner: bytes) -> None:
        """This client wants the voice to go on: every pause ends."""
        self.forget(owner)
        self.end_all("other_client")

    def forget(self, owner: bytes) -> None:
        """This client's pause, if it has one, ends without a word: it was interrupted, or the client left."""
        self._since_ns.pop(owner, None)

    def end_all(self, why: wire.ResumeReason) -> None:
        """Every pause ends, and its client is told."""
        for owner in list(self._since_ns):
            self._end(owner, why)

    def step(self, now_ns: int) -> None:
        """End what has lasted too long."""
        for owner, since_ns in list(self._since_ns.items()):
            if now_ns - since_ns >= self._limit_ns:
                self._end(owner, "pause_timeout")

    def _end(self, owner: bytes, why: wire.ResumeReason) -> None:
        del self._since_ns[owner]
        self._send(owner, wire.Resumed(why=why))
