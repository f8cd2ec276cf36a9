"""A ZmtpServer on a local socket, stepped by the test; its peers are libzmq's sockets or raw ones."""

import contextlib
import socket

from mien.transport.zmtp.framing import encode_command, encode_frame, encode_metadata, greeting
from mien.transport.zmtp.null import NullMechanism
from mien.transport.zmtp.peer import Peer
from mien.transport.zmtp.server import ZmtpServer
from rigs.reactor_rig import ReactorRig

ROUTER = {b"Socket-Type": b"ROUTER", b"Identity": b""}
READY = encode_command(b"READY", encode_metadata({b"Socket-Type": b"DEALER"}))


class ZmtpRig(ReactorRig):
    """known: the identities whose owner is known."""

    def __init__(self, folder, *, guarded=None, counters=None, clock=None, endpoint=None):
        super().__init__(clock=clock, counters=counters)
        self.known = set()
        self._guarded = guarded
        self.server = self.served = ZmtpServer(
            "test",
            self.reactor,
            self.clock,
            self.counters,
            make_peer=self._peer,
            known=self.known.__contains__,
            pending_ns=30 * 10**9,
        )
        self.path = folder / "test.sock"
        self.endpoint = self.server.listen(endpoint or f"ipc://{self.path}", "test", guarded=guarded is not None)

    def _peer(self, guarded):
        if not guarded:
            return Peer(NullMechanism(ROUTER), b"NULL", frozenset((b"DEALER",)))
        from mien.transport.zmtp.curve import CurveMechanism

        return Peer(CurveMechanism(ROUTER, *self._guarded), b"CURVE", frozenset((b"DEALER",)))

    def step(self, ms=0):
        super().step(ms)

    def receive(self):
        """The next message received by the server."""
        found = []
        self.until(lambda: found.append(self.server.receive()) or found[-1])
        return found[-1]

    def hear(self, client):
        """The next message sent to a libzmq client."""
        self.until(lambda: client.poll(0))
        return client.recv_multipart()

    def bare(self, data=b""):
        """A raw connection that has sent these bytes."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(10)
        connection.connect(str(self.path))
        if data:
            connection.sendall(data)
        return connection

    def shaken(self):
        """A raw connection after the handshake, with its identity, once the server has registered it."""
        before = {identity for identity, _ in self.server.peers()}
        connection = self.bare(greeting(b"NULL") + READY + encode_frame(0, b"hi"))
        identity, message, _ = self.receive()
        assert message == [b"hi"]
        assert identity not in before
        self.know(identity)
        return connection, identity

    def know(self, identity):
        """Tell the server that the owner knows this identity."""
        self.known.add(identity)
        assert self.server.receive() is None

    def ended(self, connection):
        """Everything that the server sends until it disconnects."""
        connection.setblocking(False)
        data, over = bytearray(), []

        def read():
            try:
                more = connection.recv(65536)
            except BlockingIOError:
                return False
            except ConnectionResetError:
                more = b""
            data.extend(more)
            over.append(not more)
            return over[-1]

        self.until(read)
        return bytes(data)


@contextlib.contextmanager
def served(folder, **options):
    rig = ZmtpRig(folder, **options)
    try:
        yield rig
    finally:
        rig.server.close()
        rig.reactor.close()
