"""The clients' socket: one ROUTER for every endpoint, never blocking."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import zmq

from mien.core import wire
from mien.core.stats import Counters
from mien.errors import BusError
from mien.transport.zap import DOMAIN

MAX_FRAME_BYTES = 1 << 18  # above any legal frame, so that a large one is answered; beyond it the connection is cut
RECEIVE_MARK = 500  # messages a connection; behind it TCP holds the sender back
SEND_MARK = 2_000
SOCKET_MODE = 0o660  # whoever is of the folder's group may speak
HANDSHAKE_MS = 5_000
# A peer that is gone is found by the kernel, not by ZeroMQ's heartbeats: libzmq 4.3.5 aborts the process when a
# heartbeat's timer meets a connection that broke while it waited at its high water mark (out_event asserts !_io_error).
GONE_MS = 5_000


class ClientRouter:
    """Receives from and sends to clients by identity. guarded: endpoints that let in who has a key (see transport.zap).

    ROUTER_MANDATORY makes the loss of a client visible: sending to one that is gone fails, and its identity is then
    found in `gone`. A client that does not read loses events once its queue is full; they are counted, nobody waits.
    """

    def __init__(self, context: "zmq.Context[zmq.Socket[bytes]]", endpoints: Sequence[str], counters: Counters, *,
                 guarded: Sequence[str] = (), secret: bytes = b"") -> None:
        self._counters = counters
        self.gone: set[bytes] = set()
        self.socket = context.socket(zmq.ROUTER)
        for option, value in (
            (zmq.ROUTER_MANDATORY, 1), (zmq.LINGER, 200), (zmq.MAXMSGSIZE, MAX_FRAME_BYTES),
            (zmq.RCVHWM, RECEIVE_MARK), (zmq.SNDHWM, SEND_MARK), (zmq.IPV6, 1),
            (zmq.TCP_KEEPALIVE, 1), (zmq.TCP_KEEPALIVE_IDLE, 2), (zmq.TCP_KEEPALIVE_INTVL, 1),
            (zmq.TCP_KEEPALIVE_CNT, 3), (zmq.TCP_MAXRT, GONE_MS),
            (zmq.HANDSHAKE_IVL, HANDSHAKE_MS),
        ):
            self.socket.setsockopt(option, value)
        self.endpoints = [self._bind(endpoint) for endpoint in endpoints]
        if guarded:  # an endpoint keeps the options that the socket had when it was bound
            self.socket.setsockopt(zmq.CURVE_SERVER, 1)
            self.socket.setsockopt(zmq.CURVE_SECRETKEY, secret)
            self.socket.setsockopt(zmq.ZAP_DOMAIN, DOMAIN)
            self.endpoints += [self._bind(endpoint) for endpoint in guarded]

    def _bind(self, endpoint: str) -> str:
        try:
            self.socket.bind(endpoint)
        except zmq.ZMQError as error:
            self.socket.close()
            raise BusError(f"voice.listen: {endpoint} cannot be opened: {error}; is another mien-voice running?"
                           ) from None
        if endpoint.startswith("ipc://"):
            Path(endpoint.removeprefix("ipc://")).chmod(SOCKET_MODE)
        return str(self.socket.getsockopt_string(zmq.LAST_ENDPOINT)).rstrip("\0")

    def receive(self) -> tuple[bytes, list[bytes], str] | None:
        """The next message as (identity, frames, user id), or None when nothing waits.

        The user id is what the key's check gave this connection; "" where no key was asked for.
        """
        try:
            first = self.socket.recv(zmq.NOBLOCK, copy=False)
        except zmq.Again:
            return None
        frames = self.socket.recv_multipart(zmq.NOBLOCK) if first.more else []
        return first.bytes, frames, _user_id(first)

    def send(self, identity: bytes, message: wire.Message) -> None:
        """Send, or count why not."""
        try:
            self.socket.send_multipart((identity, wire.encode(message)), zmq.NOBLOCK)
        except zmq.Again:
            self._counters.count("events_lost_client_stalled")
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            self.gone.add(identity)

    def close(self) -> None:
        """Close after what was sent has had a moment to leave."""
        with contextlib.suppress(zmq.ZMQError):
            self.socket.close()


def _user_id(frame: zmq.Frame) -> str:
    try:
        return str(frame.get("User-Id"))
    except zmq.ZMQError:
        return ""
