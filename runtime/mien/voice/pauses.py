"""The pauses of the playhead, each with an upper limit.

A pause belongs to its client, or to a barge-in, which limits it itself. Any client that may control the voice can end
all of them (resume). Otherwise a pause ends with its client (an interrupt, or its leaving), with a takeover, or after
limit_ms.
"""

from mien.core import wire
from mien.units import NS_PER_MS
from mien.voice.sessions import Send


class Pauses:
    """send(owner, message) tells a client that its pause was ended by another client or by the limit.

    barge_in: whether a barge-in pauses; set by mien.voice.barge_in.
    """

    def __init__(self, limit_ms: int, send: Send) -> None:
        self._limit_ns = limit_ms * NS_PER_MS
        self._send = send
        self._since_ns: dict[bytes, int] = {}
        self.barge_in = False

    def __bool__(self) -> bool:
        return self.barge_in or bool(self._since_ns)

    def __contains__(self, owner: bytes) -> bool:
        return owner in self._since_ns

    def pause(self, owner: bytes, now_ns: int) -> None:
        """Pause for this client. A second request does not extend the pause."""
        self._since_ns.setdefault(owner, now_ns)

    def resume(self, owner: bytes) -> None:
        """End every pause."""
        self.forget(owner)
        self.end_all("other_client")

    def forget(self, owner: bytes) -> None:
        """End this client's pause without telling it."""
        self._since_ns.pop(owner, None)

    def end_all(self, why: wire.ResumeReason) -> None:
        """End every pause and tell its client."""
        self.barge_in = False
        for owner in list(self._since_ns):
            self._end(owner, why)

    def step(self, now_ns: int) -> None:
        """End the pauses that have reached the limit."""
        for owner, since_ns in list(self._since_ns.items()):
            if now_ns - since_ns >= self._limit_ns:
                self._end(owner, "pause_timeout")

    def _end(self, owner: bytes, why: wire.ResumeReason) -> None:
        del self._since_ns[owner]
        self._send(owner, wire.Resumed(why=why))
