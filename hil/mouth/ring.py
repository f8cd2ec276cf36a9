"""The virtual microphone's shared memory, which card.c delivers to ALSA as a sound card with a crystal of its own."""

import mmap
import struct
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

Pcm = NDArray[np.int16]
RATE_HZ: Final = 48_000
LATENCY_NS: Final = 40_000_000
"""How long after it reached the microphone a frame can be read: the mouth's time to compute it, on a busy machine, too.

A real card has a few ms. What the rig adds is known, and subtracted from what it measures.
"""

FRAMES: Final = 2 * RATE_HZ
MAGIC: Final = b"MIENMIC1"
# magic, rate_hz (the crystal's), opened_ns, latency_ns, written, frames, nominal_hz, plugged, late_frames, unused
HEADER: Final = struct.Struct("<8sdqqQIIIIQ")
_WRITTEN: Final = struct.Struct("<Q")
_WRITTEN_AT: Final = 32
_NUMBER: Final = struct.Struct("<I")
_PLUGGED_AT: Final = 48
_LATE_AT: Final = 52


class Ring:
    """A microphone that is plugged in until close(). Frame n reaches it at opened_ns + n / rate_hz, CLOCK_MONOTONIC.

    ppm: how much faster than RATE_HZ its crystal is. late_frames: written after the card had to deliver them.
    """

    def __init__(self, path: Path, *, opened_ns: int, ppm: float) -> None:
        self.opened_ns = opened_ns
        self.rate_hz = RATE_HZ * (1 + ppm * 1e-6)
        self.written = 0
        self.late_frames = 0
        self._path = path
        path.unlink(missing_ok=True)  # a board that still holds the old card sees it unplugged, not rewritten
        made = path.with_name(f"{path.name}.new")
        with made.open("w+b") as file:
            file.truncate(HEADER.size + 2 * FRAMES)
            self._memory = mmap.mmap(file.fileno(), 0)
        HEADER.pack_into(self._memory, 0, MAGIC, self.rate_hz, opened_ns, LATENCY_NS, 0, FRAMES, RATE_HZ, 1, 0, 0)
        self._sound: Pcm = np.frombuffer(self._memory, "<i2", FRAMES, HEADER.size)
        made.chmod(0o644)
        made.replace(path)

    def write(self, pcm: Pcm, now_ns: int) -> None:
        """Append frames, int16 (N,), N at most FRAMES."""
        at = self.written % FRAMES
        head = pcm[: FRAMES - at]
        self._sound[at : at + len(head)] = head
        self._sound[: len(pcm) - len(head)] = pcm[len(head) :]
        due = int((now_ns - self.opened_ns - LATENCY_NS) * 1e-9 * self.rate_hz)
        if (late := min(len(pcm), due - self.written)) > 0:
            self.late_frames += late
            _NUMBER.pack_into(self._memory, _LATE_AT, self.late_frames)
        self.written += len(pcm)
        _WRITTEN.pack_into(self._memory, _WRITTEN_AT, self.written)

    def close(self) -> None:
        """Pull the card out. May be called twice."""
        if self._memory.closed:
            return
        _NUMBER.pack_into(self._memory, _PLUGGED_AT, 0)
        self._path.unlink(missing_ok=True)
        del self._sound
        self._memory.close()


def late_frames(path: Path) -> int:
    """How many frames of a microphone that is plugged in were late. Raises OSError."""
    with path.open("rb") as file:
        return int(HEADER.unpack(file.read(HEADER.size))[8])
