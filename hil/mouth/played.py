"""What the board's speaker plays, read from the file of mien's WAV sink while it plays."""

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from hil.captured import NS_PER_S
from hil.container.ears import HEADER_BYTES
from hil.errors import RigError
from hil.mouth.acoustics import Signal
from hil.mouth.ring import RATE_HZ

PART: Final = "mouth"
FRAME_BYTES: Final = 2
RELOOK_NS: Final = 200_000_000
"""How often a file that is missing, or may belong to a new voice, is looked for."""


QEMU_FRAME_BYTES: Final = 4
QEMU_LATE_NS: Final = 100_000_000


class Played(Protocol):
    """The board's speaker as it is heard."""

    def heard(self, from_ns: int, frames: int, now_ns: int) -> Signal:
        """`frames` at RATE_HZ from from_ns on, -1..1. All of it lies in the past; what was not played is silence."""
        ...


class WavPlayed:
    """where: returns the path of the file, which changes with each start of the board.

    Frame n of the file is heard at opened_ns + n / rate: the sink removes only what has not been heard yet.
    """

    def __init__(self, where: Callable[[], Path]) -> None:
        self._where = where
        self._path: Path | None = None
        self._opened_ns = 0
        self._look_ns = 0

    def heard(self, from_ns: int, frames: int, now_ns: int) -> Signal:
        """As Played. A voice that is not there, or was restarted just now, plays silence."""
        sound = np.zeros(frames)
        if now_ns >= self._look_ns:
            self._look_ns = now_ns + RELOOK_NS
            self._look()
        first = round((from_ns - self._opened_ns) * RATE_HZ / NS_PER_S)
        if self._path is None or first + frames <= 0:
            return sound
        skipped = max(0, -first)
        try:
            with self._path.open("rb") as file:
                file.seek(HEADER_BYTES + FRAME_BYTES * (first + skipped))
                data = file.read(FRAME_BYTES * (frames - skipped))
        except OSError:
            self._look_ns = 0
            return sound
        pcm = np.frombuffer(data[: len(data) // FRAME_BYTES * FRAME_BYTES], "<i2")
        sound[skipped : skipped + len(pcm)] = pcm / 32768
        return sound

    def _look(self) -> None:
        try:
            path = self._where()
            opened_ns = int(path.with_name(f"{path.name}.opened_ns").read_text())
            with path.open("rb") as file:
                (rate_hz,) = struct.unpack("<I", file.read(HEADER_BYTES)[24:28])
        except (OSError, RigError, ValueError, struct.error):
            self._path = None
            return
        if rate_hz != RATE_HZ:
            raise RigError(PART, f"{path}: the board plays at {rate_hz} Hz, but the rig's mouth needs {RATE_HZ} Hz")
        self._path, self._opened_ns = path, opened_ns


class QemuPlayed:
    """The WAV file that QEMU writes, stereo. It grows by a buffer at a time, so it is read QEMU_LATE_NS late.

    As a device with such a latency would do to the echo: the ear finds it, as it finds any delay.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begun_ns: int | None = None
        self._frames = 0

    def heard(self, from_ns: int, frames: int, now_ns: int) -> Signal:
        """As Played."""
        self._observe(now_ns)
        sound = np.zeros(frames)
        if self._begun_ns is None:
            return sound
        first = round((from_ns - QEMU_LATE_NS - self._begun_ns) * RATE_HZ / NS_PER_S)
        skipped = max(0, -first)
        if skipped >= frames:
            return sound
        try:
            with self._path.open("rb") as file:
                file.seek(HEADER_BYTES + QEMU_FRAME_BYTES * (first + skipped))
                data = file.read(QEMU_FRAME_BYTES * (frames - skipped))
        except OSError:
            return sound
        left = np.frombuffer(data[: len(data) // QEMU_FRAME_BYTES * QEMU_FRAME_BYTES], "<i2")[::2]
        sound[skipped : skipped + len(left)] = left / 32768
        return sound

    def _observe(self, now_ns: int) -> None:
        """The earliest sighting of the file's length tells when it began. It grows only while the board plays."""
        try:
            frames = max(0, self._path.stat().st_size - HEADER_BYTES) // QEMU_FRAME_BYTES
        except OSError:
            frames = 0
        if frames < self._frames:  # the board was switched on again
            self._begun_ns = None
        if frames > self._frames:
            begun_ns = now_ns - round(frames * NS_PER_S / RATE_HZ)
            stalled = self._begun_ns is not None and begun_ns > self._begun_ns + QEMU_LATE_NS
            self._begun_ns = begun_ns if self._begun_ns is None or stalled else min(begun_ns, self._begun_ns)
        self._frames = frames
