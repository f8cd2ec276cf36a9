"""Observers for the soak test: all but the last read everything; the last reads slowly and requests thumbnails."""

import threading
import time
from typing import Final

import zmq

from mien.core import wire
from mien.errors import ProtocolError

TOPICS: Final[tuple[wire.Topic, ...]] = ("state", "captions", "levels", "health")
SLOW_EVERY_S: Final = 0.5  # how often the slow one reads a message and requests a thumbnail
WIDTH_PX: Final = 320


class Onlooker:
    """An observer in a thread of its own, on a raw socket: no client library reads for it.

    slow: leave incoming messages unread and request thumbnails. read, thumbnails: how many were received.
    """

    def __init__(self, endpoint: str, name: str, *, slow: bool) -> None:
        self._endpoint, self._name, self._slow = endpoint, name, slow
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.read = self.thumbnails = 0

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait for it."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        socket = context.socket(zmq.DEALER)
        socket.setsockopt(zmq.LINGER, 0)
        if self._slow:
            socket.setsockopt(zmq.RCVHWM, 10)
        socket.connect(self._endpoint)
        self._greet(socket)
        try:
            while not self._stopping.is_set():
                if self._slow:
                    socket.send(wire.encode(wire.GetThumbnail(width=WIDTH_PX)), zmq.NOBLOCK)
                    time.sleep(SLOW_EVERY_S)
                if socket.poll(100):
                    self._take(socket, socket.recv())
        finally:
            socket.close()
            context.term()

    def _greet(self, socket: "zmq.Socket[bytes]") -> None:
        socket.send(wire.encode(wire.Hello(protocol=wire.PROTOCOL_MAJOR, client=self._name, role="observer")))
        socket.send(wire.encode(wire.Subscribe(topics=TOPICS)))

    def _take(self, socket: "zmq.Socket[bytes]", frame: bytes) -> None:
        self.read += 1
        try:
            message = wire.decode_voice(frame)
        except ProtocolError:
            return
        if isinstance(message, wire.Thumbnail):
            self.thumbnails += 1
        if isinstance(message, wire.Error) and message.code == "no_hello":
            self._greet(socket)  # the voice disconnected it for unread events; it connected again
