"""A listener on the bus that keeps every anchor and health report, for measuring after the fact."""

import threading
from pathlib import Path

import zmq

from mien.core import bus
from mien.core.clock import Clock
from mien.transport.bus import subscribe

POLL_MS = 50
MAX_ANCHORS = 500_000


class BusProbe:
    """Runs in a thread of its own between __enter__ and __exit__. Lists only grow, so reading them needs no lock."""

    def __init__(self, run_dir: Path, clock: Clock) -> None:
        self._run_dir = run_dir
        self._clock = clock
        self._stopping = threading.Event()
        self._level = threading.Condition()
        self._thread = threading.Thread(target=self._listen, name="probe", daemon=True)
        self.anchors: list[bus.Anchor] = []
        self.faces: list[bus.FaceHealth] = []
        self.voices: list[bus.VoiceHealth] = []

    def __enter__(self) -> "BusProbe":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def wait_for_face(self, timeout_s: float) -> bool:
        """Wait until a face has reported through the voice. False when none did."""
        with self._level:
            return self._level.wait_for(lambda: bool(self.faces), timeout_s)

    def _listen(self) -> None:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        socket = subscribe(context, self._run_dir)
        while not self._stopping.is_set():
            if socket.poll(POLL_MS):
                self._take(bus.decode_from_voice(socket.recv_multipart()[0]))
        socket.close()
        context.term()

    def _take(self, message: bus.VoiceBusMessage) -> None:
        match message:
            case bus.Anchor():
                if len(self.anchors) < MAX_ANCHORS:
                    self.anchors.append(message)
            case bus.VoiceHealth():
                self.voices.append(message)
            case bus.FaceHealth():
                with self._level:
                    self.faces.append(message)
                    self._level.notify_all()
