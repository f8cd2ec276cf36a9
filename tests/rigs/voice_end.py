"""The voice's end of the ear's bus, without a voice: publishes a far end and orders, collects what the ear reports."""

import contextlib
import time

import numpy as np
import zmq

from mien.core import ear_bus
from mien.core.ear_bus import EarOrders, FarEnd
from mien.transport import EAR_SOCKET, FAR_END_SOCKET

PATIENCE_S = 30


class VoiceEnd:
    """reports: (message, payload), in order."""

    def __init__(self, run_dir):
        self.reports = []
        self._context = zmq.Context()
        self._publisher = self._bound(zmq.XPUB, run_dir / FAR_END_SOCKET)
        self._puller = self._bound(zmq.PULL, run_dir / EAR_SOCKET)
        self._orders = EarOrders()
        self._orders_s = 0.0

    def _bound(self, kind, path):
        socket = self._context.socket(kind)
        socket.setsockopt(zmq.LINGER, 0)
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        socket.bind(f"ipc://{path}")
        return socket

    def order(self, *encodings, always=False, muted=False):
        """Order from now on, once a second."""
        self._orders, self._orders_s = EarOrders(encodings=encodings, always=always, muted=muted), 0.0

    def play(self, pcm, at_ns, *, stream=1, offset=0):
        """Publish a block that is heard at at_ns; None is 20 ms of silence."""
        frames = 320 if pcm is None else len(pcm)
        message = FarEnd(stream=stream, offset=offset, frames=frames, at_ns=at_ns, silent=pcm is None)
        payload = [] if pcm is None else [pcm.astype("<i2").tobytes()]
        self._publisher.send_multipart([ear_bus.encode(message), *payload])

    def listen(self, duration_s):
        """Take reports for a while, repeating the orders."""
        until_s = time.monotonic() + duration_s
        while (left_s := until_s - time.monotonic()) > 0:
            self._repeat_orders()
            if self._puller.poll(min(50, left_s * 1000)):
                frames = self._puller.recv_multipart()
                self.reports.append((ear_bus.decode_from_ear(frames[0]), frames[1] if len(frames) > 1 else None))

    def until(self, condition, what):
        """Take reports until condition() holds."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not (found := condition()):
            assert time.monotonic() < deadline_s, f"{what} did not happen; {[m for m, _ in self.reports][-5:]}"
            self.listen(0.05)
        return found

    def told(self, kind):
        return [message for message, _ in self.reports if isinstance(message, kind)]

    @property
    def health(self):
        """The newest."""
        return (self.told(ear_bus.EarHealth) or [None])[-1]

    def sound(self, encoding="s16le"):
        """All near-end sound, int16 (N,)."""
        parts = [p for m, p in self.reports if isinstance(m, ear_bus.NearEnd) and m.encoding == encoding]
        return np.frombuffer(b"".join(parts), "<i2")

    def close(self):
        self._context.destroy(linger=0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _repeat_orders(self):
        if time.monotonic() - self._orders_s >= 1:
            self._orders_s = time.monotonic()
            self._publisher.send(ear_bus.encode(self._orders))
        while self._publisher.poll(0):
            self._publisher.recv()
