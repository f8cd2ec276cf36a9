"""Written for good, and wiped for good. Nothing on the card is wiped before `store` has returned."""

import os
from pathlib import Path
from typing import Final

from provisioning.files import Files

# Others are 0644. The keys' folder belongs to the voice's group, which a new file inherits.
MODES: Final = {"wpa_supplicant.conf": 0o600, "mien/keys/voice.key_secret": 0o640}


def store(etc: Path, files: Files) -> None:
    """Write files below `etc`, each whole or not at all; a power cut after this has returned loses none of them.

    Raises OSError. Where there was no space for one of them, none was changed.
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
    """Nobody else reads it before it has its mode."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(text.encode())
        file.flush()
        os.fchmod(file.fileno(), mode)
        os.fsync(file.fileno())


def sync_folders(etc: Path, paths: list[Path]) -> None:
    """The entries of files, and of folders that were made for them. Raises OSError."""
    folders = {parent for path in paths for parent in path.parents if parent.is_relative_to(etc.parent)}
    for folder in sorted(folders, reverse=True):
        if folder.is_dir():
            sync(folder)


def sync(path: Path) -> None:
    """A file's or a folder's content, onto the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def wipe(path: Path) -> None:
    """Overwrite and remove. A card's controller may keep the old cells: who can take it apart may still read them."""
    with path.open("r+b") as file:
        file.write(b"\0" * os.fstat(file.fileno()).st_size)
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def wipe_free_space(folder: Path, left: int) -> None:
    """Fill the `left` free bytes of a file system with zeros: an editor that saved a file anew left the old one there.

    Raises OSError where it is full a little earlier than it said.
    """
    filler = folder / ".filler"
    try:
        with filler.open("wb", buffering=0) as file:
            while left > 0:
                left -= file.write(bytes(min(left, 1 << 20)))
            os.fsync(file.fileno())
    finally:
        filler.unlink(missing_ok=True)
