"""A running voice with its face, observed by a bus probe: shared by `bench`, `demo`, the rig."""

import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import zmq

from mien.bench.offsets import FrameTrace, read_trace
from mien.client import Client, connect
from mien.core import bus
from mien.core.clock import Clock
from mien.errors import MienError
from mien.host.clock import MonotonicClock
from mien.host.stack import Stack
from mien.motion.base import Pcm
from mien.transport import voice_endpoint
from mien.transport.bus import subscribe

START_TIMEOUT_S = 60.0
CHUNK_FRAMES = 320  # 20 ms at 16 kHz
BURST_FRAMES = 3200  # a TTS that is faster than real time sends larger chunks
POLL_MS = 50
MAX_ANCHORS = 500_000
SMALL_KIOSK = {
    "playback.sink": "null",
    "voice.listen": "[]",
    "face.width": "200",
    "face.height": "356",
    "face.fps": "25",
}
"""Settings of a kiosk whose face costs little, for benchmarks of what stands before it."""


class BusProbe:
    """Keeps every anchor and health report from the bus, in a thread that runs between __enter__ and __exit__.

    Lists only grow, so that reading them needs no lock.
    """

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
        """Wait for the first health report of a face. Returns False on timeout."""
        with self._level:
            return self._level.wait_for(lambda: bool(self.faces), timeout_s)

    def wait_for_voice(self, timeout_s: float) -> bool:
        """Wait for the first health report of the voice. Returns False on timeout."""
        with self._level:
            return self._level.wait_for(lambda: bool(self.voices), timeout_s)

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
                with self._level:
                    self.voices.append(message)
                    self._level.notify_all()
            case bus.FaceHealth():
                with self._level:
                    self.faces.append(message)
                    self._level.notify_all()


@dataclass(slots=True)
class Session:
    """A running stack. started_ns: taken before the first process started.

    trace: set when the session has ended; None without a face.
    """

    stack: Stack
    probe: BusProbe
    client: Client
    started_ns: int
    trace_path: Path
    trace: FrameTrace | None = None

    def burst(self, pcm: Pcm) -> tuple[int, str]:
        """Send an utterance as fast as possible. Returns (time of the first chunk in ns, name of the turn)."""
        turn = self.client.turn()
        sent_ns = time.monotonic_ns()
        for at in range(0, len(pcm), BURST_FRAMES):
            turn.write(pcm[at : at + BURST_FRAMES])
        turn.end()
        return sent_ns, turn.name

    def real_time(self, pcm: Pcm) -> tuple[int, str]:
        """Send an utterance in 20 ms chunks in real time. Returns as burst()."""
        turn = self.client.turn()
        sent_ns = time.monotonic_ns()
        for number, at in enumerate(range(0, len(pcm), CHUNK_FRAMES)):
            wait_s = sent_ns / 1e9 + number * 0.02 - time.monotonic()
            if wait_s > 0:
                time.sleep(wait_s)
            turn.write(pcm[at : at + CHUNK_FRAMES])
        turn.end()
        return sent_ns, turn.name


@contextmanager
def running_session(
    settings: dict[str, str], *, quiet: bool = True, face: bool = True, start_timeout_s: float = START_TIMEOUT_S
) -> Iterator[Session]:
    """Run the services in a temporary directory; the trace is read after they have stopped.

    face: False runs the voice alone. start_timeout_s: how long they may take to start. Raises MienError when they
    take longer.
    """
    with tempfile.TemporaryDirectory(prefix="mien-") as folder:
        run_dir, trace_path = Path(folder), Path(folder, "trace.npz")
        stack = Stack(run_dir, settings=settings, face_arguments=("--trace", str(trace_path)), quiet=quiet)
        clock = MonotonicClock()
        with BusProbe(run_dir, clock) as probe:
            started_ns = clock.now_ns()
            with stack if face else stack.voice_alone():
                wait, name = (probe.wait_for_face, "face") if face else (probe.wait_for_voice, "voice")
                if not wait(start_timeout_s):
                    raise MienError(f"the {name} did not start within {start_timeout_s:.0f} s; run `mien doctor`")
                with connect(voice_endpoint(run_dir)) as client:
                    session = Session(stack, probe, client, started_ns, trace_path)
                    yield session
            _check_ended(stack)
        if face:
            session.trace = read_trace(trace_path)


def _check_ended(stack: Stack) -> None:
    for name, process in (("voice", stack.voice), ("face", stack.face)):
        if isinstance(process, subprocess.Popen) and process.returncode:
            raise MienError(f"mien-{name} ended with {process.returncode}")
