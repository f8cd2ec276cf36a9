"""Both services with a client and a probe, measured while they run: what `bench`, `demo` and the rig build on."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mien.bench.offsets import Pictures, read_pictures
from mien.bench.probe import BusProbe
from mien.client import Client, connect
from mien.errors import MienError
from mien.host.clock import MonotonicClock
from mien.host.stack import Stack
from mien.motion.base import Pcm
from mien.transport import voice_endpoint

START_TIMEOUT_S = 60.0
CHUNK_FRAMES = 320  # 20 ms at 16 kHz
BURST_FRAMES = 3200  # a TTS that is faster than speech hands over larger pieces


@dataclass(slots=True)
class Session:
    """A running stack. started_ns: before the first process was started. pictures: after the end, None before it."""

    stack: Stack
    probe: BusProbe
    client: Client
    started_ns: int
    trace_path: Path
    pictures: Pictures | None = None

    def burst(self, pcm: Pcm) -> tuple[int, str]:
        """Send an utterance as fast as it goes. Returns when its first chunk was sent, and the turn's name."""
        turn = self.client.turn()
        sent_ns = time.monotonic_ns()
        for at in range(0, len(pcm), BURST_FRAMES):
            turn.write(pcm[at : at + BURST_FRAMES])
        turn.end()
        return sent_ns, turn.name

    def real_time(self, pcm: Pcm) -> tuple[int, str]:
        """Send an utterance in 20 ms chunks at the pace of speech, the first when 20 ms of it exist."""
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
def running_session(settings: dict[str, str], *, quiet: bool = True) -> Iterator[Session]:
    """Start everything in a directory of its own, and give it back when done; the trace is read at the end.

    Raises MienError when the face does not come up.
    """
    with tempfile.TemporaryDirectory(prefix="mien-") as folder:
        run_dir, trace_path = Path(folder), Path(folder, "trace.npz")
        stack = Stack(run_dir, settings=settings, face_arguments=("--trace", str(trace_path)), quiet=quiet)
        clock = MonotonicClock()
        with BusProbe(run_dir, clock) as probe:
            started_ns = clock.now_ns()
            with stack:
                if not probe.wait_for_face(START_TIMEOUT_S):
                    raise MienError(f"no face came up within {START_TIMEOUT_S:.0f} s; run `mien doctor`")
                with connect(voice_endpoint(run_dir)) as client:
                    session = Session(stack, probe, client, started_ns, trace_path)
                    yield session
            _check_ended(stack)
        session.pictures = read_pictures(trace_path)


def _check_ended(stack: Stack) -> None:
    for name, process in (("voice", stack.voice), ("face", stack.face)):
        if isinstance(process, subprocess.Popen) and process.returncode:
            raise MienError(f"mien-{name} ended with {process.returncode}")
