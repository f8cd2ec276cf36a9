"""One accepted connection: socket, protocol state, queued output."""

import contextlib
import socket
import struct
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Final

from mien.transport.zmtp.listeners import Listener
from mien.transport.zmtp.peer import Peer
from mien.transport.zmtp.reactor import READ, WRITE, Reactor

_UCRED: Final = struct.Struct("3i")  # pid, uid, gid
_GATHER: Final = 32  # messages passed to the kernel in one call


class Outbox:
    """Encoded messages queued for one peer. Never sends part of a message and then drops the rest.

    size: bytes queued, including OVERHEAD_BYTES for each message. The owner bounds it.
    """

    OVERHEAD_BYTES: Final = 64

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._sent = 0  # bytes of the oldest message
        self.size = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, data: bytes) -> None:
        """Queue a message."""
        self._waiting.append(data)
        self.size += len(data) + self.OVERHEAD_BYTES

    def flush(self, sendmsg: Callable[[list[memoryview]], int]) -> None:
        """Send as much as sendmsg accepts. Raises what it raises; BlockingIOError when it accepts nothing now."""
        while self._waiting:
            batch = [memoryview(data) for data in islice(self._waiting, _GATHER)]
            batch[0] = batch[0][self._sent :]
            self._drop_sent(sendmsg(batch))

    def drop_unsent(self) -> int:
        """Drop every message of which no byte was sent. Returns how many."""
        kept = [self._waiting[0]] if self._sent else []
        dropped = len(self._waiting) - len(kept)
        self._waiting = deque(kept)
        self.size = sum(len(data) + self.OVERHEAD_BYTES for data in kept)
        return dropped

    def _drop_sent(self, count: int) -> None:
        self._sent += count
        while self._waiting and self._sent >= len(self._waiting[0]):
            self._sent -= len(self._waiting[0])
            self.size -= len(self._waiting[0]) + self.OVERHEAD_BYTES
            self._waiting.popleft()


class Connection:
    """held: not read from for now. leaving: being closed; its input is discarded until it has read the farewell."""

    def __init__(self, accepted: socket.socket, identity: bytes, peer: Peer, listener: Listener, now_ns: int) -> None:
        self.socket = accepted
        self.identity = identity
        self.peer = peer
        self.listener = listener
        self.opened_ns = now_ns
        self.outbox = Outbox()
        self.open = True
        self.leaving = False
        self.held = False
        self.leave_by_ns = 0
        self.address = _address(accepted)
        self._watched = READ

    def flush(self) -> None:
        """Send as much as the kernel accepts. Raises OSError when the connection is broken."""
        with contextlib.suppress(BlockingIOError):
            self.outbox.flush(self.socket.sendmsg)
        if self.leaving and not self.outbox:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)

    def leave(self, farewell: bytes, by_ns: int) -> None:
        """Start closing: send only the rest of a partly sent message and the farewell."""
        self.leaving, self.leave_by_ns = True, by_ns
        self.outbox.drop_unsent()
        if farewell:
            self.outbox.add(farewell)

    def watch(self, reactor: Reactor) -> None:
        """Poll for reading only while input can be buffered, for writing only while output is queued."""
        readable = self.leaving or not (self.held or self.peer.full)
        wanted = (READ if readable else 0) | (WRITE if self.outbox else 0)
        if self.open and wanted != self._watched:
            self._watched = wanted
            reactor.watch(self.socket.fileno(), wanted)


def _address(accepted: socket.socket) -> str:
    """The peer, for the log."""
    if accepted.family == socket.AF_UNIX:
        pid, uid, _ = _UCRED.unpack(accepted.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
        return f"process {pid} of user {uid}"
    try:
        return str(accepted.getpeername()[0])
    except OSError:
        return "a disconnected peer"
