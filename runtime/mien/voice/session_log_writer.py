"""Writes the session log to disk in a thread of its own, so that a slow card never delays the voice."""

import errno
import logging
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from mien.audio.base import Pcm
from mien.config import JournalConfig
from mien.core.stats import Counters
from mien.errors import ConfigError
from mien.voice.session_log_files import LineFiles, Recordings

log = logging.getLogger("mien.session_log")

MAX_WAITING: Final = 4_000  # lines and chunks; beyond either bound they are dropped and counted
MAX_WAITING_BYTES: Final = 4_000_000
CLOSE_S: Final = 0.5  # systemd gives the voice one second to stop
BYTES_A_KB: Final = 1_000
BYTES_A_MB: Final = 1_000_000
_PASSING: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.ENFILE)
_Item = tuple[str, int, bytes | None]


def session_log_folder(config: JournalConfig, run_dir: Path) -> Path:
    """The configured folder, systemd's LOGS_DIRECTORY, or a folder in run_dir."""
    return Path(config.folder or os.environ.get("LOGS_DIRECTORY", "").split(":")[0] or run_dir / "journal")


class SessionLogWriter:
    """A LogStore (see mien.voice.session_log) of files in one folder: lines and recordings.

    No disk error ends it. What cannot be written is counted (`journal_failed`), and the first failure of a row is
    logged. What exceeds the bounds of the queue is dropped and counted (`journal_dropped`). Raises ConfigError for a
    folder that cannot be used at all; one that is full or read-only now may become usable.
    """

    def __init__(self, config: JournalConfig, folder: Path, counters: Counters) -> None:
        self._counters = counters
        self._lines = LineFiles(folder, config.max_file_kb * BYTES_A_KB, config.files)
        self._recordings = Recordings(folder, config.audio_max_mb * BYTES_A_MB)
        self._waiting: queue.Queue[_Item | None] = queue.Queue(MAX_WAITING)
        self._bytes_lock = threading.Lock()
        self._waiting_bytes = 0
        self._complete: deque[str] = deque()  # recordings that ended while the queue was full
        self._failing = False
        self._open(folder)
        self._thread = threading.Thread(target=self._run, name="session_log", daemon=True)
        self._thread.start()

    def line(self, line: bytes) -> None:
        """One JSON object."""
        self._put(("", 0, line))

    def audio(self, key: str, rate_hz: int, pcm: Pcm | None) -> None:
        """Append to the recording `key`. None: it is complete."""
        if not self._put((key, rate_hz, None if pcm is None else pcm.astype("<i2").tobytes())) and pcm is None:
            self._complete.append(key)

    def close(self) -> None:
        """Write what is queued and stop, within CLOSE_S: a disk that hangs must not keep the voice from stopping."""
        until_s = time.monotonic() + CLOSE_S
        try:
            self._waiting.put(None, timeout=CLOSE_S)
            self._thread.join(max(0.0, until_s - time.monotonic()))
        except queue.Full:
            pass
        if self._thread.is_alive():
            self._counters.count("journal_failed")
            log.warning("the end of the session log is missing: the disk took longer than %g s", CLOSE_S)

    def _open(self, folder: Path) -> None:
        try:
            self._lines.open()
        except OSError as error:
            if error.errno not in _PASSING:
                raise ConfigError(
                    f"journal.folder: {folder}: cannot be written ({error.strerror}); name another, or "
                    "set journal.enabled = false"
                ) from None
            self._failed(error)

    def _put(self, item: _Item) -> bool:
        """Queue an item. Returns whether there was room."""
        size = len(item[2] or b"")
        with self._bytes_lock:
            if self._waiting_bytes + size <= MAX_WAITING_BYTES:
                try:
                    self._waiting.put_nowait(item)
                except queue.Full:
                    pass
                else:
                    self._waiting_bytes += size
                    return True
        self._counters.count("journal_dropped")
        return False

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None:
            with self._bytes_lock:
                self._waiting_bytes -= len(item[2] or b"")
            self._attempt(lambda item=item: self._write(item))  # type: ignore[misc]
            if self._waiting.empty():
                self._attempt(self._settle)
        self._attempt(self._settle)
        self._attempt(self._recordings.close)
        self._attempt(self._lines.close)

    def _attempt(self, work: Callable[[], None]) -> None:
        """Do it. Failures are counted; only the first of a row is logged, because a full disk fails at every line."""
        try:
            work()
        except Exception as error:  # the next line may succeed
            self._failed(error)

    def _failed(self, error: Exception) -> None:
        self._counters.count("journal_failed")
        if not self._failing:
            log.warning("the session log cannot be written: %s", error)
        self._failing = True

    def _write(self, item: _Item) -> None:
        key, rate_hz, data = item
        if not key:
            self._lines.write(data or b"")
        elif data is None:
            self._recordings.complete(key)
        else:
            self._recordings.write(key, rate_hz, data)

    def _settle(self) -> None:
        """The queue is empty: flush."""
        while self._complete:
            self._recordings.complete(self._complete.popleft())
        if not self._lines.flush():
            return
        if self._failing:
            log.warning("the session log is being written again")
        self._failing = False
