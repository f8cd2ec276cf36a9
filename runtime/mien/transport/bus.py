"""The bus between voice and face: an XPUB that everybody may watch, and a PULL for the face's reports."""

from pathlib import Path

import zmq

from mien.core.stats import Counters
from mien.errors import BusError
from mien.transport import BUS_SOCKET, REPORT_SOCKET

HIGH_WATER_MARK = 2_000
Context = zmq.Context[zmq.Socket[bytes]]


class VoiceBus:
    """The voice's end. Publishing never blocks: a subscriber that does not read loses messages, never the voice."""

    def __init__(self, context: Context, run_dir: Path) -> None:
        self.publisher = context.socket(zmq.XPUB)
        self.publisher.setsockopt(zmq.XPUB_VERBOSE, 1)  # every new subscriber is told of, so that it can be replayed to
        self.publisher.setsockopt(zmq.SNDHWM, HIGH_WATER_MARK)
        self.publisher.setsockopt(zmq.LINGER, 0)
        self.reports = context.socket(zmq.PULL)
        self.reports.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
        _bind(self.publisher, run_dir / BUS_SOCKET)
        _bind(self.reports, run_dir / REPORT_SOCKET)

    def publish(self, frames: list[bytes]) -> None:
        """To everyone who listens."""
        self.publisher.send_multipart(frames, zmq.NOBLOCK)

    def joined(self) -> bool:
        """Whether somebody has subscribed since the last call."""
        joined = False
        while True:
            try:
                joined |= self.publisher.recv(zmq.NOBLOCK)[:1] == b"\x01"
            except zmq.Again:
                return joined

    def report(self) -> bytes | None:
        """The next report of a face, or None."""
        try:
            return self.reports.recv(zmq.NOBLOCK)
        except zmq.Again:
            return None

    def close(self) -> None:
        """Close both sockets."""
        self.publisher.close()
        self.reports.close()


class FaceBus:
    """The face's end. Connects to a voice that may not be there yet; ZeroMQ goes on trying."""

    def __init__(self, context: Context, run_dir: Path, counters: Counters) -> None:
        self._counters = counters
        self.subscriber = subscribe(context, run_dir)
        self._reports = context.socket(zmq.PUSH)
        self._reports.setsockopt(zmq.SNDHWM, 100)
        self._reports.setsockopt(zmq.LINGER, 0)
        self._reports.setsockopt(zmq.IMMEDIATE, 1)
        self._reports.connect(f"ipc://{run_dir / REPORT_SOCKET}")

    def receive(self, timeout_ms: int) -> list[bytes] | None:
        """The next message's frames, waiting up to timeout_ms; None when none came."""
        if timeout_ms and not self.subscriber.poll(timeout_ms):
            return None
        try:
            return self.subscriber.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None

    def report(self, frame: bytes) -> None:
        """Tell the voice; with no voice to tell, counted and dropped."""
        try:
            self._reports.send(frame, zmq.NOBLOCK)
        except zmq.Again:
            self._counters.count("reports_dropped")

    def close(self) -> None:
        """Close both sockets."""
        self.subscriber.close()
        self._reports.close()


def subscribe(context: Context, run_dir: Path) -> "zmq.Socket[bytes]":
    """A socket that hears the whole bus of run_dir: for the face, `mien watch` and measurements."""
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.RCVHWM, HIGH_WATER_MARK)
    socket.setsockopt(zmq.LINGER, 0)
    socket.setsockopt(zmq.RECONNECT_IVL, 50)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, 200)
    socket.setsockopt(zmq.SUBSCRIBE, b"")
    socket.connect(f"ipc://{run_dir / BUS_SOCKET}")
    return socket


def _bind(socket: "zmq.Socket[bytes]", path: Path) -> None:
    try:
        socket.bind(f"ipc://{path}")
    except zmq.ZMQError as error:
        raise BusError(f"{path}: the bus cannot be opened: {error}; does the folder exist, and may this user write "
                       "there?") from None
