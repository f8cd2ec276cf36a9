"""The files of the session log.

Every operation may raise OSError, and the next one starts afresh: a card that was full or read-only for a while loses
what was logged meanwhile and nothing else.
"""

import contextlib
import os
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

NAME: Final = "sessions"
_FOLDER_MODE: Final = 0o750  # what customers said is private


class LineFiles:
    """sessions.jsonl and its rotations sessions.1.jsonl and so on: at most `files` files of at most max_bytes each."""

    def __init__(self, folder: Path, max_bytes: int, files: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._files = files
        self._file: BinaryIO | None = None
        self._bytes = 0

    def open(self) -> None:
        """Open the newest file if it is not open, and create its folder. Raises OSError."""
        if self._file is None:
            self._folder.mkdir(mode=_FOLDER_MODE, parents=True, exist_ok=True)
            self._file = self._opened()

    def write(self, line: bytes) -> None:
        """Append a line, and rotate first if the file would become too long. Raises OSError: the line is lost."""
        self.open()
        if self._bytes and self._bytes + len(line) + 1 > self._max_bytes:
            self._rotate()
        assert self._file is not None
        try:
            self._file.write(line + b"\n")
        except OSError:
            self._give_up()
            raise
        self._bytes += len(line) + 1

    def flush(self) -> bool:
        """Flush to disk. Returns whether a file is open. Raises OSError: what was not flushed may be lost."""
        if self._file is None:
            return False
        try:
            self._file.flush()
        except OSError:
            self._give_up()
            raise
        return True

    def close(self) -> None:
        """Flush and close. Raises OSError."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _opened(self) -> BinaryIO:
        path = self._path(0)
        file = path.open("ab")
        self._bytes = os.fstat(file.fileno()).st_size
        try:
            if self._bytes and not _ends_a_line(path):  # power failed, or the disk was full, in mid-line
                file.write(b"\n")
                self._bytes += 1
        except OSError:
            file.close()
            raise
        return file

    def _rotate(self) -> None:
        self.close()
        for number in range(self._files - 1, 0, -1):
            with contextlib.suppress(FileNotFoundError):
                self._path(number - 1).replace(self._path(number))
        if self._files == 1:
            self._path(0).unlink(missing_ok=True)
        self.open()

    def _give_up(self) -> None:
        with contextlib.suppress(OSError):
            self.close()

    def _path(self, number: int) -> Path:
        return self._folder / (f"{NAME}.{number}.jsonl" if number else f"{NAME}.jsonl")


@dataclass(slots=True)
class _Recording:
    file: BinaryIO
    wav: wave.Wave_write

    def close(self) -> None:
        """Raises OSError."""
        try:
            self.wav.close()
        finally:
            self.file.close()


class Recordings:
    """WAV files by name, mono s16le. Beyond max_bytes the oldest complete ones are deleted."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._open: dict[str, _Recording | None] = {}  # None: writing failed, and the rest of it is dropped

    def write(self, name: str, rate_hz: int, data: bytes) -> None:
        """Append to a recording; the first call creates it. Raises OSError: the rest of it is dropped."""
        if name not in self._open:
            self._open[name] = None
            self._make_room()
            self._open[name] = self._begun(name, rate_hz)
        recording = self._open[name]
        if recording is None:
            return
        try:
            recording.wav.writeframesraw(data)
        except OSError:
            self._open[name] = None
            with contextlib.suppress(OSError):
                recording.close()
            raise

    def complete(self, name: str) -> None:
        """Close a recording. Raises OSError."""
        recording = self._open.pop(name, None)
        if recording is not None:
            recording.close()

    def close(self) -> None:
        """Close them all. Raises the first OSError."""
        with contextlib.ExitStack() as stack:
            for name in list(self._open):
                stack.callback(self.complete, name)

    def _begun(self, name: str, rate_hz: int) -> _Recording:
        file = (self._folder / name).open("wb")
        wav = wave.open(file, "wb")  # noqa: SIM115 (closed when the turn is over)
        wav.setparams((1, 2, rate_hz, 0, "NONE", "not compressed"))
        return _Recording(file, wav)

    def _make_room(self) -> None:
        """Delete the oldest complete recordings until the rest is below the limit."""
        kept = sorted(
            (found.st_mtime_ns, found.st_size, path) for path in self._folder.glob("*.wav") if (found := _stat(path))
        )
        total = sum(size for _, size, _ in kept)
        for _, size, path in kept:
            if total < self._max_bytes:
                return
            if path.name not in self._open:
                path.unlink(missing_ok=True)
                total -= size


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _stat(path: Path) -> os.stat_result | None:
    with contextlib.suppress(FileNotFoundError):
        return path.lstat()
    return None
