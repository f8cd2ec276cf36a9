"""The container board's speaker: follows the file that mien's WAV sink writes.

The sink is an ideal device: frame n of the file is heard at opened_ns + n / rate. A restarted voice begins a new file;
the sound of the old one is kept.
"""

import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np

from hil.captured import NS_PER_S, Sound
from hil.errors import RigError
from hil.follow import Follower

PART: Final = "ears"
HEADER_BYTES: Final = 44
POLL_S: Final = 0.05
REREAD_BYTES: Final = 48_000  # when speech is cut, the sink removes what it had queued: at most its buffer


@dataclass(slots=True)
class _Run:
    """Sound of one voice process."""

    opened_ns: int
    rate_hz: int
    data: bytearray = field(default_factory=bytearray)


class WavEars:
    """where: returns the file's path, which changes with each start of the board. clock: shared with the board."""

    def __init__(self, where: Callable[[], Path], clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._where = where
        self._clock = clock
        self._runs: list[_Run] = []
        self._start_ns = 0
        self._lock = threading.Lock()
        self._follower = Follower(self._poll, POLL_S, PART)

    def start(self) -> None:
        """Start recording."""
        with self._lock:
            self._start_ns = self._clock()
        self._follower.start()

    def sound(self) -> Sound:
        """The recording since start(). Raises RigError before start(), or if no voice has written anything."""
        self._poll()
        with self._lock:
            if not self._start_ns:
                raise RigError(PART, "start() was never called")
            if not self._runs:
                raise RigError(PART, f"there is no sound file at {self._where()}")
            rate_hz, now_ns = self._runs[-1].rate_hz, self._clock()
            heard = np.zeros(max(0, (now_ns - self._start_ns) * rate_hz // NS_PER_S), dtype=np.int16)
            for run in self._runs:
                _lay(heard, run, self._start_ns)
        return Sound(self._start_ns, rate_hz, heard)

    def close(self) -> None:
        """Stop listening."""
        self._follower.stop()

    def _poll(self) -> None:
        with self._lock:
            try:
                self._take(self._where())
            except (OSError, ValueError, RigError, struct.error):
                return  # between two voice processes the file is missing or incomplete

    def _take(self, path: Path) -> None:
        opened_ns = int(path.with_name(path.name + ".opened_ns").read_text())
        with path.open("rb") as file:
            rate_hz = int(struct.unpack("<I", file.read(HEADER_BYTES)[24:28])[0])
            if not self._runs or self._runs[-1].opened_ns != opened_ns:
                self._runs.append(_Run(opened_ns, rate_hz))
            data = self._runs[-1].data
            known = max(0, len(data) - REREAD_BYTES)
            file.seek(HEADER_BYTES + known)
            data[known:] = file.read()


def _lay(heard: "np.ndarray[tuple[int], np.dtype[np.int16]]", run: _Run, start_ns: int) -> None:
    pcm = np.frombuffer(bytes(run.data[: len(run.data) // 2 * 2]), dtype="<i2")
    at = round((run.opened_ns - start_ns) * run.rate_hz / NS_PER_S)
    first, last = max(0, -at), min(len(pcm), len(heard) - at)
    if last > first:
        heard[at + first : at + last] = pcm[first:last]
