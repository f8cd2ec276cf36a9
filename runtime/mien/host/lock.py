"""One process of a kind in each run directory.

The kernel releases the lock when its holder ends, however it ends. The file stays.
"""

import errno
import fcntl
import json
import os
import sys
import time
from pathlib import Path
from typing import Final

from mien.errors import ConfigError, MienError
from mien.host.rundir import unusable
from mien.printable import one_line

_MODE: Final = 0o660  # for the group of the folder: root may have created the file, and the service must open it
_MAX_BYTES: Final = 2048
_COMMAND_CHARACTERS: Final = 200


class RunLock:
    """Holds run_dir/<what>.lock (flock(2)) from here on, until release() or the end of the process.

    what: run, voice or face. program: the holder's name for people. Raises ConfigError, which names the holder, if
    another process holds it; StorageError for a fault of the disk.
    """

    def __init__(self, run_dir: Path, what: str, program: str) -> None:
        self._path = run_dir / f"{what}.lock"
        self._program = program
        self._descriptor, writable = self._open()
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = self._holder()
            self.release()
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise self._unusable(error) from None
            raise ConfigError(
                f"run_dir: {run_dir}: {holder}; stop it first, or choose another folder with run_dir"
            ) from None
        if writable:
            self._write_holder()

    def release(self) -> None:
        """Release the lock. A second call does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> "RunLock":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _open(self) -> tuple[int, bool]:
        """The file's descriptor, and whether it may be written: another user's file can be locked too."""
        flags = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            # Without O_CREAT first: in a sticky folder the kernel refuses O_CREAT for another user's file (proc(5),
            # protected_regular).
            return os.open(self._path, os.O_RDWR | flags), True
        except FileNotFoundError:
            pass
        except PermissionError:
            return self._open_to_read(flags), False
        except OSError as error:
            raise self._unusable(error) from None
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | flags, _MODE)
            os.fchmod(descriptor, _MODE)
        except OSError as error:
            raise self._unusable(error) from None
        return descriptor, True

    def _open_to_read(self, flags: int) -> int:
        try:
            return os.open(self._path, os.O_RDONLY | flags)
        except OSError as error:
            raise self._unusable(error) from None

    def _unusable(self, error: OSError) -> MienError:
        return unusable(self._path, "locked", error, "remove it, or choose another folder with run_dir")

    def _write_holder(self) -> None:
        """Write who holds it. On a full disk the text is missing, and the lock holds."""
        command = one_line(" ".join(sys.argv), _COMMAND_CHARACTERS)
        words = json.dumps({"pid": os.getpid(), "program": self._program, "command": command, "since_s": time.time()})
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, words.encode(), 0)
        except OSError:
            return

    def _holder(self) -> str:
        """A sentence about the holder."""
        try:
            found = json.loads(os.pread(self._descriptor, _MAX_BYTES, 0))
            since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found["since_s"]))
            return (
                f"{one_line(found['program'], 40)} is already running there: process {int(found['pid'])} since {since} "
                f"({one_line(found['command'], _COMMAND_CHARACTERS)})"
            )
        except (OSError, ValueError, TypeError, KeyError, OverflowError, AttributeError):
            return f"another {self._program} is already running there"
