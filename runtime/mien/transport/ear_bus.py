"""The ear's end of its bus: the far end comes from the voice, reports go to it, levels to meters."""

from pathlib import Path
from typing import Final

import zmq

from mien.core.stats import Counters
from mien.errors import BusError
from mien.transport import EAR_SOCKET, FAR_END_SOCKET, METER_SOCKET

Context = zmq.Context[zmq.Socket[bytes]]

FAR_END_MESSAGES: Final = 500  # ten seconds, queued in this process while it is busy
REPORT_MESSAGES: Final = 200  # four seconds of near end
METER_MESSAGES: Final = 50


class EarBus:
    """The voice may start later, or again: ZeroMQ keeps trying to connect."""

    def __init__(self, context: Context, run_dir: Path, counters: Counters) -> None:
        """Raises BusError when the meters' socket cannot be bound."""
        self._counters = counters
        self._meters_path = run_dir / METER_SOCKET
        self._bound = False
        self._orders = _socket(context, zmq.SUB)
        self._orders.setsockopt(zmq.RCVHWM, FAR_END_MESSAGES)
        self._orders.setsockopt(zmq.SUBSCRIBE, b"")
        self._orders.connect(f"ipc://{run_dir / FAR_END_SOCKET}")
        self._reports = _socket(context, zmq.PUSH)
        self._reports.setsockopt(zmq.SNDHWM, REPORT_MESSAGES)
        self._reports.setsockopt(zmq.IMMEDIATE, 1)
        self._reports.connect(f"ipc://{run_dir / EAR_SOCKET}")
        self._meters = _socket(context, zmq.PUB)
        self._meters.setsockopt(zmq.SNDHWM, METER_MESSAGES)
        try:
            self._meters.bind(f"ipc://{self._meters_path}")
        except zmq.ZMQError as error:
            self.close()
            raise BusError(
                f"run_dir: {self._meters_path}: cannot be bound ({error}); remove it if another user left it there"
            ) from None
        self._bound = True

    def receive(self) -> list[bytes] | None:
        """The frames of the voice's next message, without waiting; None when there is none."""
        try:
            return self._orders.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None

    def report(self, frames: list[bytes]) -> None:
        """Send to the voice; dropped and counted while it is not connected or does not read."""
        try:
            self._reports.send_multipart(frames, zmq.NOBLOCK)
        except zmq.Again:
            self._counters.count("reports_dropped")

    def publish(self, frame: bytes) -> None:
        """Send to every meter. One that does not read loses messages."""
        self._meters.send(frame, zmq.NOBLOCK)

    def close(self) -> None:
        """Close all sockets. Their file is removed, because the next ear may be another user's."""
        for socket in (self._orders, self._reports, self._meters):
            socket.close()
        if self._bound:
            self._meters_path.unlink(missing_ok=True)


def subscribe_meter(context: Context, run_dir: Path) -> "zmq.Socket[bytes]":
    """A socket that receives what the ear publishes for meters."""
    socket = _socket(context, zmq.SUB)
    socket.setsockopt(zmq.RCVHWM, METER_MESSAGES)
    socket.setsockopt(zmq.SUBSCRIBE, b"")
    socket.connect(f"ipc://{run_dir / METER_SOCKET}")
    return socket


def _socket(context: Context, kind: int) -> "zmq.Socket[bytes]":
    socket = context.socket(kind)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.RECONNECT_IVL, 50)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 200)
    return socket
