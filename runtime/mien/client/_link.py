"""One ZeroMQ connection to the voice, for asyncio, which reports when it is lost."""

from __future__ import annotations

from types import TracebackType

import zmq
import zmq.asyncio
from zmq.utils.monitor import parse_monitor_message

from mien.client.keys import ClientKeys
from mien.errors import ConfigError

# No ZeroMQ heartbeats: libzmq 4.3.5 may abort the voice over one (see PROTOCOL.md). The session's pings replace them.
KEEPALIVE_S = 2
_OVER = zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED  # EVENT_CLOSED: the connection could not be established
RECONNECT_MS = 30_000  # never reached; with -1 ("never") a send would block once the voice is gone
LINGER_MS = 200  # for the last messages before close()


class Link:
    """A DEALER that is used for one connection only.

    By default ZeroMQ reconnects by itself and delivers messages meant for the old voice to a new one that knows nothing
    of them, even before the program learns of the disconnect. The long reconnect interval prevents that: the first
    failure or disconnect ends a link, and its owner opens another. Raises ConfigError for an endpoint that ZeroMQ does
    not accept.
    """

    def __init__(self, context: zmq.asyncio.Context, endpoint: str, keys: ClientKeys | None = None) -> None:
        self._socket = context.socket(zmq.DEALER)
        self._socket.set(zmq.LINGER, LINGER_MS)
        self._socket.set(zmq.RECONNECT_IVL, RECONNECT_MS)
        self._socket.set(zmq.SNDHWM, 0)  # bounded by the session's credit
        self._socket.set(zmq.RCVHWM, 0)  # a full queue here could make the voice drop a `finished`
        self._socket.set(zmq.TCP_KEEPALIVE, 1)
        self._socket.set(zmq.TCP_KEEPALIVE_IDLE, KEEPALIVE_S)
        self._socket.set(zmq.TCP_KEEPALIVE_INTVL, 1)
        self._socket.set(zmq.TCP_KEEPALIVE_CNT, 3)
        if keys is not None:
            keys.put_on(self._socket)
        self._monitor = self._socket.get_monitor_socket(_OVER)
        self._monitor.set(zmq.LINGER, 0)
        self._poller = zmq.asyncio.Poller()
        self._poller.register(self._socket, zmq.POLLIN)
        self._poller.register(self._monitor, zmq.POLLIN)
        try:
            self._socket.connect(endpoint)
        except zmq.ZMQError as error:
            self.close(linger_ms=0)
            raise ConfigError(
                f"endpoint '{endpoint}': {error}; it must be tcp://HOST:PORT or ipc:///PATH/TO/SOCKET"
            ) from None

    async def send(self, frames: tuple[bytes, ...]) -> None:
        """Queue one message."""
        await self._socket.send_multipart(frames)

    async def receive(self, timeout_s: float) -> list[bytes] | None:
        """The next message; [] after timeout_s; None once the connection was lost and every message was read."""
        ready = dict(await self._poller.poll(timeout_s * 1000))
        if self._socket in ready:
            return await self._socket.recv_multipart()
        if self._monitor in ready and await self._disconnected():
            return None
        return []

    def close(self, linger_ms: int = LINGER_MS) -> None:
        """Close the connection."""
        self._socket.disable_monitor()
        self._monitor.close(0)
        self._socket.close(linger_ms)

    async def _disconnected(self) -> bool:
        event = parse_monitor_message(await self._monitor.recv_multipart())
        return bool(event["event"] & _OVER)

    def __enter__(self) -> Link:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()
