"""A bench board's SD card in a USB-SD mux, switched between this machine and the board."""

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hil.errors import RigError

PART: Final = "card"
PIECE: Final = 4 * 2**20
APPEARS_S: Final = 15.0


class MuxCard:
    """to_host, to_board: switch the mux. device: the card's block device while it is switched to this machine."""

    def __init__(self, device: Path, to_host: Callable[[], None], to_board: Callable[[], None]) -> None:
        self._device = device
        self._to_host, self._to_board = to_host, to_board
        self._sha256 = ""

    def flash(self, image: Path) -> None:
        """Write the image, verify it, switch the card to the board. Raises RigError if the read-back differs."""
        self._to_host()
        self._await_device()
        written = self._write(image)
        found = self._read_back(image.stat().st_size)
        if found != written:
            raise RigError(PART, f"{self._device}: read-back differs from what was written; the card is worn out")
        self._to_board()
        self._sha256 = written

    def sha256(self) -> str:
        """SHA-256 of the image flashed last; "" before the first."""
        return self._sha256

    def _await_device(self) -> None:
        deadline = time.monotonic() + APPEARS_S
        while not self._device.exists() or self._size() == 0:
            if time.monotonic() > deadline:
                raise RigError(
                    PART, f"{self._device}: no card appears; is a card in the mux, and the mux's USB connected?"
                )
            time.sleep(0.1)

    def _size(self) -> int:
        with self._device.open("rb") as file:
            return file.seek(0, os.SEEK_END)

    def _write(self, image: Path) -> str:
        if self._size() < image.stat().st_size:
            raise RigError(PART, f"{self._device}: {self._size()} bytes; the image needs {image.stat().st_size}")
        digest = hashlib.sha256()
        with image.open("rb") as source, self._device.open("r+b", buffering=0) as target:
            while piece := source.read(PIECE):
                digest.update(piece)
                target.write(piece)
            os.fsync(target.fileno())
        return digest.hexdigest()

    def _read_back(self, size: int) -> str:
        digest = hashlib.sha256()
        with self._device.open("rb", buffering=0) as source:
            os.posix_fadvise(source.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            while size:
                piece = source.read(min(PIECE, size))
                if not piece:
                    break
                digest.update(piece)
                size -= len(piece)
        return digest.hexdigest()
