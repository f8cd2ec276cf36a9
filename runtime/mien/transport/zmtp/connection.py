"""One accepted connection: its socket, its protocol, and what waits to be sent."""

import contextlib
import socket
import struct
from typing import Final

from mien.transport.zmtp.endpoint import Listener
from mien.transport.zmtp.outbox import Outbox
from mien.transport.zmtp.peer import Peer
from mien.transport.zmtp.reactor import READ, WRITE, Reactor

_UCRED: Final = struct.Struct("3i")  # pid, uid, gid


class Connection:
    """held: nothing is read of it for now. leaving: it is hung up on, and what it sends is thrown away until it read
    the farewell."""

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
        """Hand over what the kernel takes. Raises OSError when the connection is broken."""
        with contextlib.suppress(BlockingIOError):
            self.outbox.flush(self.socket.sendmsg)
        if self.leaving and not self.outbox:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_WR)

    def leave(self, farewell: bytes, by_ns: int) -> None:
        """Send nothing but the rest of the message under way and the farewell."""
        self.leaving, self.leave_by_ns = True, by_ns
        self.outbox.drop_unsent()
        if farewell:
            self.outbox.add(farewell)

    def watch(self, reactor: Reactor) -> None:
        """Read only while there is room for what comes, write only while something waits."""
        readable = self.leaving or not (self.held or self.peer.full)
        wanted = (READ if readable else 0) | (WRITE if self.outbox else 0)
        if self.open and wanted != self._watched:
            self._watched = wanted
            reactor.watch(self.socket.fileno(), wanted)


def _address(accepted: socket.socket) -> str:
    """Who connected, for the log."""
    if accepted.family == socket.AF_UNIX:
        pid, uid, _ = _UCRED.unpack(accepted.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
        return f"process {pid} of user {uid}"
    try:
        return str(accepted.getpeername()[0])
    except OSError:
        return "a peer that is gone"
