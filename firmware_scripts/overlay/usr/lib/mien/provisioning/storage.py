"""Durable storage of settings, secure deletion of their originals. Nothing is wiped before `store` has returned."""

import os
from pathlib import Path
from typing import Final

from provisioning.files import Files

# Other files are 0644. New files in the folders of keys and of the link inherit the group of the voice, or of the link.
MODES: Final = {
    "wpa_supplicant.conf": 0o600,
    "mien/keys/voice.key_secret": 0o640,
    "mien/link/link.key": 0o640,
    "mien/link/password": 0o640,
    "mien/link/update-token": 0o640,
}


def store(etc: Path, files: Files) -> None:
    """Write files below `etc` atomically; once this has returned, they survive a power cut.

    Raises OSError. If space is insufficient, no file is changed.
    """
    parts: dict[Path, Path] = {}
    try:
        for name, text in files.items():
            if text is not None:
                path = etc / name
                path.parent.mkdir(parents=True, exist_ok=True)
                parts[path] = path.with_name(f"{path.name}.part")
                _write(parts[path], text, MODES.get(name, 0o644))
        for path, part in parts.items():
            part.replace(path)
    except OSError:
        for part in parts.values():
            part.unlink(missing_ok=True)
        raise
    for name, text in files.items():
        if text is None:
            (etc / name).unlink(missing_ok=True)
    sync_folders(etc, [etc / name for name in files])


def _write(path: Path, text: str, mode: int) -> None:
    """Write with restrictive permissions until the final mode is set."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(text.encode())
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())


def sync_folders(etc: Path, paths: list[Path]) -> None:
    """fsync the directories of files, including newly created ones. Raises OSError."""
    folders = {parent for path in paths for parent in path.parents if parent.is_relative_to(etc.parent)}
    for folder in sorted(folders, reverse=True):
        if folder.is_dir():
            sync(folder)


def sync(path: Path) -> None:
    """fsync a file or a directory. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def wipe(path: Path) -> None:
    """Overwrite and remove a file. The card's controller may keep the old cells, readable by taking the card apart."""
    with path.open("r+b") as file:
        file.write(b"\0" * os.fstat(file.fileno()).st_size)
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def wipe_free_space(folder: Path, left: int) -> None:
    """Fill the `left` free bytes of a file system with zeros: editors leave copies of a file in free space.

    Raises OSError if the file system is full earlier than it reported.
    """
    filler = folder / ".filler"
    try:
        with filler.open("wb", buffering=0) as file:
            while left > 0:
                left -= file.write(bytes(min(left, 1 << 20)))
            os.fsync(file.fileno())
    finally:
        filler.unlink(missing_ok=True)
