"""The run directory, where processes find each other's sockets."""

import errno
import os
import stat
import tempfile
from pathlib import Path
from typing import Final

from mien.config import SOCKET_PATH_BYTES
from mien.errors import ConfigError, MienError, StorageError

SYSTEM_RUN_DIR: Final = Path("/run/mien")
LONGEST_SOCKET: Final = "far-end.sock"  # of the names in mien.transport
# What may pass without anybody's help. systemd starts a service again after these.
_PASSING: Final = frozenset(
    (errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE)
)


def resolve_run_dir(configured: str, *, system: Path = SYSTEM_RUN_DIR) -> Path:
    """The directory of the sockets. Creates nothing.

    configured: the path from the configuration. For "" the first of: the first entry of $RUNTIME_DIRECTORY (set by
    systemd), `system` if it is writable or contains sockets, $XDG_RUNTIME_DIR/mien, <temporary directory>/mien-<uid>.
    """
    if configured:
        return Path(configured).absolute()
    if given := os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]:
        return Path(given)
    if os.access(system, os.W_OK | os.X_OK) or _has_sockets(system):
        return system
    if session := os.environ.get("XDG_RUNTIME_DIR", ""):
        return Path(session, "mien")
    return Path(tempfile.gettempdir(), f"mien-{os.getuid()}")


def ensure_run_dir(run_dir: Path) -> Path:
    """Create the directory for its owner only (0700), or check the existing one. Returns it.

    Raises ConfigError if it cannot be created, is not a directory, belongs to another user than this one or root, is
    writable for others, or if its path is too long for a socket; StorageError for a fault of the disk.
    """
    socket_path(run_dir, LONGEST_SOCKET)
    try:
        run_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_found(run_dir)
    except OSError as error:
        raise unusable(run_dir, "created", error, "set run_dir elsewhere") from None
    return run_dir


def unusable(path: Path, action: str, error: OSError, remedy: str) -> MienError:
    """The error for a path in or at the run directory that cannot be `action`: created, locked."""
    kind = StorageError if error.errno in _PASSING else ConfigError
    return kind(f"run_dir: {path}: cannot be {action} ({error.strerror}); {remedy}")


def examine_run_dir(run_dir: Path) -> None:
    """Check what ensure_run_dir would do, without creating anything. Raises ConfigError."""
    socket_path(run_dir, LONGEST_SOCKET)
    try:
        _check_found(run_dir)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ConfigError(f"run_dir: {run_dir}: cannot be created ({error.strerror}); set run_dir elsewhere") from None
    if problem := cannot_write_in(run_dir):
        raise ConfigError(f"run_dir: {run_dir}: {problem}; set run_dir elsewhere")


def cannot_write_in(folder: Path) -> str:
    """Why this user cannot create a file in a folder, or the missing folder itself; "" if it can."""
    there = next((path for path in (folder, *folder.parents) if os.path.lexists(path)), Path("/"))
    if not there.is_dir():
        return f"{there} is no folder"
    if not os.access(there, os.W_OK | os.X_OK):
        return f"this user may not write in {there}"
    return ""


def _check_found(run_dir: Path) -> None:
    """Raises ConfigError, or OSError if there is no such directory."""
    # lstat: in a shared temporary directory another user may have created a link under our name.
    found = run_dir.lstat()
    if not stat.S_ISDIR(found.st_mode) and not stat.S_ISLNK(found.st_mode):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    if not stat.S_ISDIR(found.st_mode):
        raise ConfigError(f"run_dir: {run_dir}: is a link; name the directory itself")
    if found.st_uid not in (os.getuid(), 0):
        raise ConfigError(f"run_dir: {run_dir}: belongs to user {found.st_uid}; remove it, or set run_dir elsewhere")
    if found.st_mode & stat.S_IWOTH:
        raise ConfigError(f"run_dir: {run_dir}: everybody may write there; run chmod o-w {run_dir}")


def socket_path(run_dir: Path, name: str) -> Path:
    """The path of a socket in the run directory. Raises ConfigError if it is too long to bind."""
    path = run_dir / name
    length = len(os.fsencode(path))
    if length > SOCKET_PATH_BYTES:
        raise ConfigError(
            f"run_dir: {path}: {length} bytes; a socket's path has at most {SOCKET_PATH_BYTES}: choose a shorter one"
        )
    return path


def _has_sockets(directory: Path) -> bool:
    try:
        return any(entry.is_socket() for entry in directory.iterdir())
    except OSError:
        return False
