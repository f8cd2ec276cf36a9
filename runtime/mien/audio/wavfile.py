"""A mono s16 WAV file that readers can follow while it grows.

Source of the header: "Multimedia Programming Interface and Data Specifications 1.0", IBM and Microsoft, 1991.
"""

import errno
import os
import struct
from pathlib import Path
from typing import Final

import numpy as np

from mien.audio.base import Pcm
from mien.errors import SinkError

FRAME_BYTES: Final = 2
HEADER: Final = struct.Struct("<4sI4s4sIHHIIHH4sI")
MAX_FRAMES: Final = (2**32 - 1 - HEADER.size) // FRAME_BYTES
_FORMAT_PCM: Final = 1


class WavWriter:
    """Appends to a new file. Every method raises SinkError on file errors and at 4 GiB."""

    def __init__(self, path: Path, rate_hz: int) -> None:
        self.frames = 0
        self._path = path
        self._rate_hz = rate_hz
        try:
            self._file = path.open("wb", buffering=0)  # so that a full disk fails the write that caused it
        except OSError as error:
            raise SinkError(f"{path}: cannot be written ({error.strerror})") from None
        self.repair_header()

    def append(self, pcm: Pcm) -> None:
        """Append frames, int16 (N,)."""
        if self.frames + len(pcm) > MAX_FRAMES:
            raise SinkError(f"{self._path}: is full; WAV files are limited to 4 GiB")
        data = np.ascontiguousarray(pcm, dtype="<i2").tobytes()
        try:
            written = self._file.write(data)
            if written < len(data):  # the rest would not fit either
                self._file.truncate(HEADER.size + self.frames * FRAME_BYTES)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise self._refused(error) from None
        self.frames += len(pcm)

    def resize(self, frames: int) -> None:
        """Truncate the file to `frames`, or extend it with silence."""
        if frames > MAX_FRAMES:
            raise SinkError(f"{self._path}: is full; WAV files are limited to 4 GiB")
        if frames == self.frames:
            return
        try:
            self._file.truncate(HEADER.size + frames * FRAME_BYTES)
            self._file.seek(0, 2)
        except OSError as error:
            raise self._refused(error) from None
        self.frames = frames
        self.repair_header()

    def repair_header(self) -> None:
        """Update the length in the header, so that readers see everything written so far."""
        try:
            self._file.seek(0)
            self._file.write(self._header())
            self._file.seek(0, 2)
        except OSError as error:
            raise self._refused(error) from None

    def close(self) -> None:
        """Finish the file. May be called twice. Raises SinkError if the header cannot be written."""
        if self._file.closed:
            return
        try:
            self.repair_header()
        finally:
            self._file.close()

    def _header(self) -> bytes:
        data_bytes = self.frames * FRAME_BYTES
        riff_bytes = data_bytes + HEADER.size - 8
        rate, channels, bits = self._rate_hz, 1, 8 * FRAME_BYTES
        form = (b"fmt ", 16, _FORMAT_PCM, channels, rate, rate * FRAME_BYTES, FRAME_BYTES, bits)
        return HEADER.pack(b"RIFF", riff_bytes, b"WAVE", *form, b"data", data_bytes)

    def _refused(self, error: OSError) -> SinkError:
        return SinkError(f"{self._path}: cannot be written ({error.strerror})")
