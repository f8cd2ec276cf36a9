"""One process of a kind in each run_dir.

libzmq removes a socket's file before it binds: without a lock, a second voice takes the first one's clients away and
then fails itself. The kernel gives the lock back when its holder ends, however it ends; the file stays.
"""

import errno
import fcntl
import json
import os
import sys
import time
from pathlib import Path
from typing import Final

from mien.errors import ConfigError
from mien.printable import one_line

_MODE: Final = 0o660  # on a board the folder's group: root may have made the file, and the service must open it
_MOST_BYTES: Final = 2048
_COMMAND_CHARACTERS: Final = 200


class RunLock:
    """Holds run_dir/<what>.lock (flock(2)) from here on, until release() or the end of the process.

    what: run, voice or face. program: who holds it, for people. Raises ConfigError, which names the holder, where
    another process has it.
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
            self._sign()

    def release(self) -> None:
        """Give the lock back. Calling it again does nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> "RunLock":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _open(self) -> tuple[int, bool]:
        """The file's descriptor, and whether it may be written: another user's file may be locked, too."""
        flags = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            # Not O_CREAT at once: in a sticky folder the kernel refuses that for a file of somebody else's (proc(5),
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

    def _unusable(self, error: OSError) -> ConfigError:
        return ConfigError(
            f"run_dir: {self._path}: cannot be locked ({error.strerror}); remove it, or choose another "
            "folder with run_dir"
        )

    def _sign(self) -> None:
        """Say who holds it. A disk that is full costs the words, not the lock."""
        command = one_line(" ".join(sys.argv), _COMMAND_CHARACTERS)
        words = json.dumps({"pid": os.getpid(), "program": self._program, "command": command, "since_s": time.time()})
        try:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, words.encode(), 0)
        except OSError:
            return

    def _holder(self) -> str:
        """Who has it, in a sentence."""
        try:
            found = json.loads(os.pread(self._descriptor, _MOST_BYTES, 0))
            since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found["since_s"]))
            return (
                f"{one_line(found['program'], 40)} runs there already: process {int(found['pid'])} since {since} "
                f"({one_line(found['command'], _COMMAND_CHARACTERS)})"
            )
        except (OSError, ValueError, TypeError, KeyError, OverflowError, AttributeError):
            return f"another {self._program} runs there already"
