"""Serves ZeroMQ peers on ordinary sockets: accepts, reads, writes and hangs up, and never blocks.

What a peer may cost is bounded before it costs: connections that have not shown who they are (a few an endpoint, the
oldest gives way), what was received and not taken (the kernel holds the sender back), and what waits to be sent (bytes,
told by the owner).
"""

import logging
import socket
from collections import deque
from collections.abc import Callable, Iterator
from typing import Final

from mien.core.clock import Clock
from mien.core.log_limit import LogLimit
from mien.core.stats import Counters
from mien.errors import PeerError
from mien.transport.zmtp.connection import Connection
from mien.transport.zmtp.doors import Doors
from mien.transport.zmtp.endpoint import Listener
from mien.transport.zmtp.framing import encode_command
from mien.transport.zmtp.peer import Message, Peer
from mien.transport.zmtp.reactor import READ, WRITE, Reactor
from mien.units import NS_PER_MS, NS_PER_S

log = logging.getLogger("mien.transport")

READ_BYTES: Final = 64 * 1024
PENDING_EACH: Final = 16  # connections an endpoint that have not shown who they are
LEAVING: Final = 16  # connections that are given time to read a farewell
HANDSHAKE_NS: Final = 5 * NS_PER_S
FAREWELL_NS: Final = 2 * NS_PER_S  # for a peer to read why it is hung up on
TIDY_NS: Final = 250 * NS_PER_MS

Received = tuple[bytes, Message, str]


class ZmtpServer:
    """One kind of socket, at any number of endpoints.

    make_peer(guarded) gives the protocol of a new connection. known(identity): whether the owner has heard who this is;
    the others have pending_ns to say so, counted from their connecting. The counters' names begin with `name`.
    """

    def __init__(
        self,
        name: str,
        reactor: Reactor,
        clock: Clock,
        counters: Counters,
        *,
        make_peer: Callable[[bool], Peer],
        known: Callable[[bytes], bool],
        pending_ns: int,
    ) -> None:
        self._name = name
        self._reactor = reactor
        self._clock = clock
        self._counters = counters
        self._make_peer = make_peer
        self._known = known
        self._pending_ns = pending_ns
        self._doors = Doors(reactor, clock, self._open, self._no_room)
        self._connections: dict[bytes, Connection] = {}
        self._leaving: list[Connection] = []
        self._ready: deque[Connection] = deque()
        self._held: deque[tuple[int, Connection]] = deque()
        self._buffer = memoryview(bytearray(READ_BYTES))
        self._opened = 0
        self._tidy_ns = 0
        self._log_limit = LogLimit()
        self.gone: deque[bytes] = deque()

    def listen(self, endpoint: str, what: str, *, guarded: bool = False) -> str:
        """Open an endpoint; returns it as bound. what: the key or the file, for the error. Raises BusError."""
        return self._doors.open(endpoint, what, guarded=guarded)

    @property
    def pending(self) -> bool:
        """Whether messages were read that receive() has not given out."""
        return bool(self._ready)

    @property
    def holding_back(self) -> bool:
        """Whether step() has a peer to read from again."""
        return bool(self._held)

    def __len__(self) -> int:
        """How many connections there are."""
        return len(self._connections) + len(self._leaving)

    def peers(self) -> Iterator[tuple[bytes, str]]:
        """Identity and user id of every connection."""
        for identity, connection in list(self._connections.items()):
            yield identity, connection.peer.user_id

    def receive(self) -> Received | None:
        """The next message as (identity, frames, user id), or None. Peers take turns.

        None while `pending` means that what was read so far had no message in it: ask again after other work.
        """
        for _ in range(len(self._ready)):
            connection = self._ready.popleft()
            peer = connection.peer
            self._meet(connection)
            message = peer.take() if peer.messages else None
            if peer.messages or (peer.unparsed and message is not None):
                self._ready.append(connection)
            elif peer.unparsed:
                self._parse(connection, b"")
            else:
                self._settle(connection)
            if message is not None:
                return connection.identity, message, peer.user_id
        return None

    def send(self, identity: bytes, message: Message) -> int:
        """Send, now or when the peer takes it. Returns the bytes that wait for this peer; 0 for one that is gone."""
        connection = self._connections.get(identity)
        if connection is None or not connection.open:
            return 0
        connection.outbox.add(connection.peer.pack(message))
        self._flush(connection)
        return connection.outbox.size

    def hang_up(self, identity: bytes, farewell: Message | None = None) -> None:
        """End a connection. What waits for it is dropped; farewell is the last that it is sent, if it reads."""
        connection = self._connections.pop(identity, None)
        if connection is None:
            return
        self._forget(connection)
        self._say_farewell(connection, connection.peer.pack(farewell) if farewell else b"")

    def hold_back(self, identity: bytes, for_ns: int) -> None:
        """Read nothing of a peer for so long; what it sends fills the kernel's buffers, and then it must wait."""
        connection = self._connections.get(identity)
        if connection is not None and connection.open and not connection.held:
            connection.held = True
            connection.watch(self._reactor)
            self._held.append((self._clock.now_ns() + for_ns, connection))

    def step(self) -> None:
        """Whatever waits for a time. Cheap while nothing is due."""
        now_ns = self._clock.now_ns()
        while self._held and now_ns >= self._held[0][0]:
            connection = self._held.popleft()[1]
            connection.held = False
            connection.watch(self._reactor)
        if now_ns < self._tidy_ns:
            return
        self._tidy_ns = now_ns + TIDY_NS
        self._expire(now_ns)
        if rebound := self._doors.step(now_ns):
            self._counters.count(f"{self._name}_sockets_rebound", rebound)

    def flush(self) -> bool:
        """Hand over what waits, to everyone. Returns whether nothing is left."""
        for connection in (*self._connections.values(), *self._leaving):
            if connection.open:
                self._flush(connection)
        return not any(connection.open and connection.outbox for connection in self._connections.values())

    def close(self) -> None:
        """Close everything at once."""
        self._doors.close()
        for connection in (*self._connections.values(), *self._leaving):
            self._close(connection)

    def _no_room(self, error: OSError) -> None:
        """The system has no descriptor or memory for one more: the oldest stranger gives way."""
        self._counters.count(f"{self._name}_accept_failed")
        self._warn(f"no further connection can be taken: {error.strerror}")
        self._evict(None)

    def _open(self, accepted: socket.socket, listener: Listener) -> None:
        strangers = sum(c.listener is listener and not self._known(c.identity) for c in self._connections.values())
        if strangers >= PENDING_EACH and not self._evict(listener):
            self._counters.count(f"{self._name}_connections_refused")
            accepted.close()
            return
        self._opened += 1
        identity = self._opened.to_bytes(8, "big")
        connection = Connection(accepted, identity, self._make_peer(listener.guarded), listener, self._clock.now_ns())
        self._connections[identity] = connection
        self._reactor.add(accepted.fileno(), lambda events: self._on_events(connection, events))
        connection.outbox.add(connection.peer.hello())
        self._flush(connection)

    def _evict(self, listener: Listener | None) -> bool:
        """Close the oldest connection that has said nothing yet. Returns whether there was one."""
        for connection in list(self._connections.values()):
            silent = not connection.peer.messages and not self._known(connection.identity)
            if silent and (listener is None or connection.listener is listener):
                self._counters.count(f"{self._name}_strangers_evicted")
                self._lose(connection)
                return True
        return False

    def _on_events(self, connection: Connection, events: int) -> None:
        if events & ~READ:
            self._flush(connection)
        if connection.open and events & ~WRITE:  # data, or the end of it
            self._read(connection)

    def _read(self, connection: Connection) -> None:
        try:
            count = connection.socket.recv_into(self._buffer)
        except BlockingIOError:
            return
        except OSError:
            count = 0
        if not count:
            self._lose(connection)
        elif not connection.leaving:
            self._parse(connection, self._buffer[:count])

    def _parse(self, connection: Connection, data: memoryview | bytes) -> None:
        """Make messages of what came, and of more: data."""
        peer = connection.peer
        self._meet(connection)
        try:
            answer = peer.feed(data) if data else peer.parse()
        except PeerError as error:
            self._refuse(connection, error)
            return
        if (peer.messages or peer.unparsed) and connection not in self._ready:
            self._ready.append(connection)
        if answer:
            self._answer(connection, answer)
        connection.watch(self._reactor)

    def _meet(self, connection: Connection) -> None:
        """A newcomer may be known by now, and then may send more."""
        if connection.peer.newcomer and self._known(connection.identity):
            connection.peer.accept_newcomer()

    def _answer(self, connection: Connection, answer: bytes) -> None:
        """What the transport protocol itself answers. A peer that does not read is not answered for ever."""
        if connection.outbox.size <= READ_BYTES:
            connection.outbox.add(answer)
            if connection.open:
                self._flush(connection)
        elif not self._known(connection.identity):
            self._refuse(connection, PeerError("flood", "it makes us answer and does not read"))

    def _refuse(self, connection: Connection, error: PeerError) -> None:
        """A peer that breaks the transport protocol: tell it where the protocol can, and hang up."""
        self._counters.count(f"{self._name}_refused_{error.code}")
        self._warn(f"hung up on {connection.address}: {error}")
        self._connections.pop(connection.identity, None)
        self._forget(connection)
        farewell = b"" if connection.peer.ready else encode_command(b"ERROR", b"\x03400")
        self._say_farewell(connection, farewell)

    def _say_farewell(self, connection: Connection, farewell: bytes) -> None:
        if not connection.open:
            return
        connection.leave(farewell, self._clock.now_ns() + FAREWELL_NS)
        self._leaving.append(connection)
        if len(self._leaving) > LEAVING:
            self._lose(self._leaving[0])
        self._flush(connection)

    def _flush(self, connection: Connection) -> None:
        try:
            connection.flush()
        except OSError:
            self._lose(connection)
            return
        connection.watch(self._reactor)

    def _settle(self, connection: Connection) -> None:
        """Everything that was received of this one was taken."""
        if connection.open:
            connection.watch(self._reactor)
        elif self._connections.pop(connection.identity, None) is not None:
            self.gone.append(connection.identity)

    def _lose(self, connection: Connection) -> None:
        """The connection is over. What came whole is still given out, before it is told to be gone."""
        self._close(connection)
        if connection.leaving:
            self._leaving.remove(connection)
        elif not connection.peer.messages and not connection.peer.unparsed:
            self._settle(connection)

    def _forget(self, connection: Connection) -> None:
        if connection in self._ready:
            self._ready.remove(connection)
        self.gone.append(connection.identity)

    def _close(self, connection: Connection) -> None:
        if connection.open:
            connection.open = False
            self._reactor.remove(connection.socket.fileno())
            connection.socket.close()

    def _expire(self, now_ns: int) -> None:
        for connection in [c for c in self._leaving if now_ns >= c.leave_by_ns]:
            self._lose(connection)
        for identity, connection in list(self._connections.items()):
            age_ns = now_ns - connection.opened_ns
            late = age_ns >= HANDSHAKE_NS and not connection.peer.ready
            if connection.open and (late or (age_ns >= self._pending_ns and not self._known(identity))):
                self._counters.count(f"{self._name}_strangers_timed_out")
                self._lose(connection)

    def _warn(self, text: str) -> None:
        if (line := self._log_limit.line(text, self._clock.now_ns())) is not None:
            log.warning("%s", line)
