"""The emulated board's speaker: follows the WAV file that QEMU writes.

QEMU completes the header only on exit, and writes nothing while no stream runs; mien keeps its stream running. The file
grows by a buffer at a time: the earliest sighting relative to its length gives the time of each sample.
"""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np

from hil.captured import NS_PER_S, Sound
from hil.errors import RigError
from hil.follow import Follower

PART: Final = "ears"
HEADER_BYTES: Final = 44
FRAME_BYTES: Final = 4  # stereo, 16 bits
RATE_HZ: Final = 48_000
POLL_S: Final = 0.03


class QemuEars:
    """path: of the file. clock: the rig's; may raise RigError while the guest has not set up its clock."""

    def __init__(self, path: Path, clock: Callable[[], int]) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._follower = Follower(self._observe, POLL_S, PART)
        self._first_frame = 0
        self._start_ns: int | None = None

    def start(self) -> None:
        """Start recording."""
        with self._lock:
            self._first_frame, self._start_ns = self._frames(), None
        self._follower.start()

    def sound(self) -> Sound:
        """The recording since start()."""
        self._observe()
        with self._lock:
            if self._start_ns is None:
                raise RigError(PART, f"{self._path}: nothing was played since start()")
            with self._path.open("rb") as file:
                file.seek(HEADER_BYTES + self._first_frame * FRAME_BYTES)
                data = file.read()
            pcm = np.frombuffer(data[: len(data) // FRAME_BYTES * FRAME_BYTES], dtype="<i2")[::2]
            return Sound(self._start_ns, RATE_HZ, pcm)

    def close(self) -> None:
        """Stop listening."""
        self._follower.stop()

    def _observe(self) -> None:
        try:
            with self._lock:
                frames, now_ns = self._frames(), self._clock()
                if frames < self._first_frame:  # the board was switched on again
                    self._first_frame, self._start_ns = 0, None
                if frames > self._first_frame:
                    begun_ns = now_ns - round((frames - self._first_frame) * NS_PER_S / RATE_HZ)
                    self._start_ns = begun_ns if self._start_ns is None else min(begun_ns, self._start_ns)
        except RigError:
            return  # the board is off

    def _frames(self) -> int:
        try:
            return max(0, self._path.stat().st_size - HEADER_BYTES) // FRAME_BYTES
        except OSError:
            return 0
