"""Brings the session log to disk, in a thread of its own: a slow card never holds the voice up."""

import contextlib
import logging
import queue
import threading
import wave
from pathlib import Path
from typing import Final

from mien.config import JournalConfig
from mien.core.stats import Counters
from mien.errors import ConfigError
from mien.voice.pcm import Pcm

log = logging.getLogger("mien.journal")

NAME: Final = "sessions"
MAX_WAITING: Final = 4_000  # lines and chunks; beyond that they are dropped and counted
BYTES_A_KB: Final = 1_000
BYTES_A_MB: Final = 1_000_000
_Item = tuple[str, int, bytes | None]


class JournalWriter:
    """A shelf (see mien.voice.journal) of files in one folder: sessions.jsonl, the older sessions.1.jsonl and so on,
    and the recordings. Raises ConfigError when the folder cannot be made."""

    def __init__(self, config: JournalConfig, folder: Path, counters: Counters) -> None:
        self._folder = folder
        self._counters = counters
        self._max_bytes = config.max_file_kb * BYTES_A_KB
        self._files = config.files
        self._max_audio_bytes = config.audio_max_mb * BYTES_A_MB
        self._waiting: queue.Queue[_Item | None] = queue.Queue(MAX_WAITING)
        self._open: dict[str, wave.Wave_write] = {}
        self._failing = False
        try:
            folder.mkdir(mode=0o750, parents=True, exist_ok=True)
            self._file = (folder / f"{NAME}.jsonl").open("ab")
        except OSError as error:
            raise ConfigError(f"journal.folder: {folder}: cannot be written ({error.strerror}); name another, or set "
                              "journal.enabled = false") from None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def line(self, line: bytes) -> None:
        """One JSON object."""
        self._put(("", 0, line))

    def audio(self, key: str, rate_hz: int, pcm: Pcm | None) -> None:
        """More of the recording `key`; None: it is complete."""
        self._put((key, rate_hz, None if pcm is None else pcm.astype("<i2").tobytes()))

    def close(self) -> None:
        """Write what waits, and end."""
        self._waiting.put(None)
        self._thread.join()

    def _put(self, item: _Item) -> None:
        try:
            self._waiting.put_nowait(item)
        except queue.Full:
            self._counters.count("journal_dropped")

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None:
            try:
                self._write(item)
            except OSError as error:
                self._failed(error)
        for close in (*(recording.close for recording in self._open.values()), self._file.close):
            try:
                close()
            except OSError as error:
                self._failed(error)

    def _failed(self, error: OSError) -> None:
        """Count it; tell the first of a row only, for a full disk fails at every line."""
        self._counters.count("journal_failed")
        if not self._failing:
            log.warning("the session log cannot be written: %s", error)
        self._failing = True

    def _succeeded(self) -> None:
        """After a flush: before it, a line that was taken may still not reach the disk."""
        if self._failing:
            log.warning("the session log is written again")
        self._failing = False

    def _write(self, item: _Item) -> None:
        key, rate_hz, data = item
        if not key:
            self._write_line(data or b"")
        elif data is None:
            if recording := self._open.pop(key, None):
                recording.close()
        else:
            self._recording(key, rate_hz).writeframesraw(data)

    def _write_line(self, line: bytes) -> None:
        if self._file.tell() + len(line) >= self._max_bytes:
            self._rotate()
        self._file.write(line + b"\n")
        if self._waiting.empty():
            self._file.flush()
            self._succeeded()

    def _rotate(self) -> None:
        self._file.close()
        for number in range(self._files - 1, 0, -1):
            older = self._folder / (f"{NAME}.{number - 1}.jsonl" if number > 1 else f"{NAME}.jsonl")
            with contextlib.suppress(FileNotFoundError):
                older.replace(self._folder / f"{NAME}.{number}.jsonl")
        self._file = (self._folder / f"{NAME}.jsonl").open("wb")

    def _recording(self, key: str, rate_hz: int) -> wave.Wave_write:
        if key not in self._open:
            self._make_room()
            recording = wave.open(str(self._folder / key), "wb")  # noqa: SIM115 (closed when the turn is over)
            recording.setnchannels(1)
            recording.setsampwidth(2)
            recording.setframerate(rate_hz)
            self._open[key] = recording
        return self._open[key]

    def _make_room(self) -> None:
        """Remove the oldest recordings until there is less than the limit."""
        kept = sorted(self._folder.glob("*.wav"), key=lambda path: path.stat().st_mtime)
        total = sum(path.stat().st_size for path in kept)
        for path in kept:
            if total < self._max_audio_bytes or path.name in self._open:
                return
            total -= path.stat().st_size
            path.unlink()
