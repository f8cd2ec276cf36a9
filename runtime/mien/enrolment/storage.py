"""Files of the fleet's folder: private, written whole or not at all."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from mien.errors import ConfigError, StorageError

PRIVATE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read. Afterwards it survives a power cut. Raises StorageError."""
    part = path.with_name(f"{path.name}.part")
    try:
        make_folder(path.parent)
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
        _sync(path.parent)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise StorageError(f"{path}: cannot be written ({error.strerror or error})") from None


def make_folder(path: Path) -> None:
    """Make a folder with its parents, each that is new for its owner alone. Raises OSError."""
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(PRIVATE_FOLDER, exist_ok=True)


def read(path: Path) -> bytes:
    """The content of a file. Raises ConfigError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the folder against a second command. Raises ConfigError when another one has it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise ConfigError(f"{folder}: {error.strerror or error}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise ConfigError(f"{folder}: another `mien fleet` works here; wait for it") from None
    finally:
        os.close(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
