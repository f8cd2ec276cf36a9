"""Serves ZeroMQ peers on ordinary sockets without ever blocking.

Every resource that a peer can use is bounded in advance: connections whose client is not yet known (a few an endpoint;
a new one replaces the oldest), received messages not yet taken (beyond the bound the kernel blocks the sender), and
queued output (in bytes, bounded by the owner).
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
from mien.transport.zmtp.framing import encode_command
from mien.transport.zmtp.listeners import Listener, Listeners
from mien.transport.zmtp.peer import Message, Peer
from mien.transport.zmtp.reactor import READ, WRITE, Reactor
from mien.units import NS_PER_MS, NS_PER_S

log = logging.getLogger("mien.transport")

READ_BYTES: Final = 64 * 1024
PENDING_EACH: Final = 16  # connections an endpoint whose client is not yet known
LEAVING: Final = 16  # connections that are being closed and may still read a farewell
HANDSHAKE_NS: Final = 5 * NS_PER_S
FAREWELL_NS: Final = 2 * NS_PER_S  # for a peer to read why it is disconnected
TIDY_NS: Final = 250 * NS_PER_MS

Received = tuple[bytes, Message, str]


class ZmtpServer:
    """One type of socket, at any number of endpoints.

    make_peer(guarded) makes the protocol state of a new connection. known(identity): whether the owner knows this
    client, such as by its hello; a connection is closed when it is not known within pending_ns of connecting. `gone`
    holds the identities of closed connections. The names of the counters begin with `name`.
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
        self._listeners = Listeners(reactor, clock, self._open, self._accept_failed)
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
        """Listen at an endpoint; returns it as bound. what: its configuration key, for the error. Raises BusError."""
        return self._listeners.open(endpoint, what, guarded=guarded)

    @property
    def pending(self) -> bool:
        """Whether receive() has messages to return."""
        return bool(self._ready)

    @property
    def holding_back(self) -> bool:
        """Whether a peer is held back now; step() ends that when due."""
        return bool(self._held)

    def __len__(self) -> int:
        """The number of connections, including those being closed."""
        return len(self._connections) + len(self._leaving)

    def peers(self) -> Iterator[tuple[bytes, str]]:
        """Identity and user id of every connection."""
        for identity, connection in list(self._connections.items()):
            yield identity, connection.peer.user_id

    def receive(self) -> Received | None:
        """The next message as (identity, frames, user id), or None. Round-robin over the peers.

        None while `pending` means that the input read so far contained no whole message: call again after other work.
        """
        for _ in range(len(self._ready)):
            connection = self._ready.popleft()
            peer = connection.peer
            self._identify(connection)
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
        """Send a message, or queue it. Returns the bytes queued for this peer; 0 if it is disconnected."""
        connection = self._connections.get(identity)
        if connection is None or not connection.open:
            return 0
        connection.outbox.add(connection.peer.pack(message))
        self._flush(connection)
        return connection.outbox.size

    def queued(self, identity: bytes) -> int:
        """The bytes queued for a peer; 0 if it is disconnected."""
        connection = self._connections.get(identity)
        return connection.outbox.size if connection is not None and connection.open else 0

    def disconnect(self, identity: bytes, farewell: Message | None = None) -> None:
        """Close a connection. Queued output is dropped; the farewell is the last message sent, if the peer reads it."""
        connection = self._connections.pop(identity, None)
        if connection is None:
            return
        self._forget(connection)
        self._close_with(connection, connection.peer.pack(farewell) if farewell else b"")

    def hold_back(self, identity: bytes, for_ns: int) -> None:
        """Read nothing from a peer for for_ns: its output fills the kernel's buffers, after which it blocks."""
        connection = self._connections.get(identity)
        if connection is not None and connection.open and not connection.held:
            connection.held = True
            connection.watch(self._reactor)
            self._held.append((self._clock.now_ns() + for_ns, connection))

    def step(self) -> None:
        """Do what is due by the clock. Cheap while nothing is."""
        now_ns = self._clock.now_ns()
        while self._held and now_ns >= self._held[0][0]:
            connection = self._held.popleft()[1]
            connection.held = False
            connection.watch(self._reactor)
        if now_ns < self._tidy_ns:
            return
        self._tidy_ns = now_ns + TIDY_NS
        self._expire(now_ns)
        if rebound := self._listeners.step(now_ns):
            self._counters.count(f"{self._name}_sockets_rebound", rebound)

    def flush(self) -> bool:
        """Send queued output to all peers. Returns whether nothing is left."""
        for connection in (*self._connections.values(), *self._leaving):
            if connection.open:
                self._flush(connection)
        return not any(connection.open and connection.outbox for connection in self._connections.values())

    def close(self) -> None:
        """Close all sockets immediately."""
        self._listeners.close()
        for connection in (*self._connections.values(), *self._leaving):
            self._close(connection)

    def _accept_failed(self, error: OSError) -> None:
        """The system has no descriptor or memory for another connection: close the oldest that is not yet known."""
        self._counters.count(f"{self._name}_accept_failed")
        self._warn(f"cannot accept another connection: {error.strerror}")
        self._evict(None)

    def _open(self, accepted: socket.socket, listener: Listener) -> None:
        pending = sum(c.listener is listener and not self._known(c.identity) for c in self._connections.values())
        if pending >= PENDING_EACH and not self._evict(listener):
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
        """Close the oldest connection that has sent no message yet. Returns whether there was one."""
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
        if connection.open and events & ~WRITE:  # data or end of file
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
        """Parse buffered input, then data, into messages."""
        peer = connection.peer
        self._identify(connection)
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

    def _identify(self, connection: Connection) -> None:
        """Lift the limits of an unidentified connection once the owner knows its client."""
        if not connection.peer.identified and self._known(connection.identity):
            connection.peer.identify()

    def _answer(self, connection: Connection, answer: bytes) -> None:
        """Send an answer of the transport protocol itself, unless the peer does not read the previous ones."""
        if connection.outbox.size <= READ_BYTES:
            connection.outbox.add(answer)
            if connection.open:
                self._flush(connection)
        elif not self._known(connection.identity):
            self._refuse(connection, PeerError("flood", "it requests answers and does not read them"))

    def _refuse(self, connection: Connection, error: PeerError) -> None:
        """Disconnect a peer that breaks the transport protocol, with an ERROR command during the handshake."""
        self._counters.count(f"{self._name}_refused_{error.code}")
        self._warn(f"disconnected {connection.address}: {error}")
        self._connections.pop(connection.identity, None)
        self._forget(connection)
        farewell = b"" if connection.peer.ready else encode_command(b"ERROR", b"\x03400")
        self._close_with(connection, farewell)

    def _close_with(self, connection: Connection, farewell: bytes) -> None:
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
        """All messages of this connection were taken: read more, or forget it if it is closed."""
        if connection.open:
            connection.watch(self._reactor)
        elif self._connections.pop(connection.identity, None) is not None:
            self.gone.append(connection.identity)

    def _lose(self, connection: Connection) -> None:
        """The connection ended. Whole messages received before are still returned, then its identity goes to `gone`."""
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
