"""An ear without a microphone: it speaks the ear's bus and says what the test tells it to."""

import threading
import time

import zmq

from mien.core import ear_bus
from mien.transport import EAR_SOCKET, FAR_END_SOCKET

PATIENCE_S = 20


class FakeEar:
    """Reports its health five times a second from a thread of its own; orders and far end are kept as they come."""

    def __init__(self, run_dir):
        self._context = zmq.Context()
        self._subscriber = self._context.socket(zmq.SUB)
        self._reports = self._context.socket(zmq.PUSH)
        for socket, name in ((self._subscriber, FAR_END_SOCKET), (self._reports, EAR_SOCKET)):
            socket.setsockopt(zmq.LINGER, 0)
            socket.setsockopt(zmq.RECONNECT_IVL, 50)
            socket.connect(f"ipc://{run_dir / name}")
        self._subscriber.subscribe(b"")
        self._sending = threading.Lock()
        self._stop = threading.Event()
        self.state = "ok"
        self.orders = ear_bus.EarOrders()
        self.far = []  # (message, payload or b"")
        self.seq = self.utterance = 0
        self._thread = threading.Thread(target=self._live, name="ear")
        self._thread.start()

    def until(self, condition):
        """Wait for what must happen."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not (found := condition()):
            assert time.monotonic() < deadline_s, "it never happened"
            time.sleep(0.005)
        return found

    def report(self, message, *payload):
        with self._sending:
            self._reports.send_multipart([ear_bus.encode(message), *payload])

    def health(self):
        self.report(
            ear_bus.EarHealth(pid=1, state=self.state, why="", level_dbfs=-40.0, clean_dbfs=-50.0, counters={"gaps": 0})
        )

    def start(self, *, ago_ms=100):
        """The customer began to speak; returns when, in ns."""
        self.utterance += 1
        self.started_ns = time.monotonic_ns() - ago_ms * 1_000_000
        self.report(ear_bus.UserStarted(utterance=self.utterance, at_ns=self.started_ns, confidence=0.75))
        return self.started_ns

    def block(self, payload=bytes(640), *, speech=True, encoding="s16le"):
        self.seq += 1
        message = ear_bus.NearEnd(seq=self.seq, at_ns=self.seq * 20_000_000, encoding=encoding, speech=speech)
        self.report(message, payload)

    def stop(self):
        now_ns = time.monotonic_ns()
        self.report(
            ear_bus.UserStopped(utterance=self.utterance, at_ns=now_ns, started_ns=self.started_ns, confidence=0.75)
        )

    def close(self):
        self._stop.set()
        self._thread.join()
        self._context.destroy(linger=0)

    def _live(self):
        due_s = 0.0
        while not self._stop.is_set():
            if time.monotonic() >= due_s:
                due_s = time.monotonic() + 0.2
                self.health()
            if self._subscriber.poll(20):
                frames = self._subscriber.recv_multipart()
                message = ear_bus.decode_from_voice(frames[0])
                if isinstance(message, ear_bus.EarOrders):
                    self.orders = message
                else:
                    self.far.append((message, frames[1] if len(frames) > 1 else b""))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
