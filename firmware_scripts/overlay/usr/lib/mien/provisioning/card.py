"""The card's settings folder: files to import, notes for the user."""

import os
import stat
from pathlib import Path
from typing import Final

from provisioning.mistake import plain, plain_name

NOTES: Final = ("MISTAKES.txt", "TAKEN.txt", "README.txt", "voice.key")
DEEPEST: Final = 4  # keys/allowed/ROLE/NAME.key
MOST_FILES: Final = 300
MOST_TOLD: Final = 40
_ORDER: Final = ("authorized_keys", "board.toml", "keys", "link", "mien.toml")  # the check of mien.toml needs the keys


class Listing:
    """files: to import, in order. odd: mistakes of the other entries, by name.

    Hidden files and our own notes are in neither.
    """

    def __init__(self, folder: Path) -> None:
        self.files: list[Path] = []
        self.odd: dict[str, str] = {}
        self._folder = folder
        left = [folder]
        while left and len(self.files) <= MOST_FILES:
            left += self._look_into(left.pop())
        if len(self.files) > MOST_FILES:
            self.odd["(this folder)"] = f"more than {MOST_FILES} files: some were ignored"
        self.files = sorted(self.files, key=self._place)[:MOST_FILES]

    def _look_into(self, here: Path) -> list[Path]:
        """Returns its folders."""
        folders = []
        try:
            for path in sorted(here.iterdir()):
                if not path.name.startswith(".") and path.relative_to(self._folder).as_posix() not in NOTES:
                    folders += self._sort(path)
        except FileNotFoundError:
            pass  # nothing to import
        except OSError as error:
            self.odd[str(here.relative_to(self._folder))] = f"cannot be read ({error.strerror})"
        return folders

    def _sort(self, path: Path) -> list[Path]:
        name = path.relative_to(self._folder)
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode):
            self.files.append(path)
        elif not stat.S_ISDIR(mode):
            self.odd[str(name)] = "neither a file nor a folder"
        elif len(name.parts) >= DEEPEST:
            self.odd[str(name)] = "nested too deeply: its contents were ignored"
        else:
            return [path]
        return []

    def _place(self, path: Path) -> tuple[int, str]:
        first = path.relative_to(self._folder).parts[0]
        return _ORDER.index(first) if first in _ORDER else len(_ORDER), str(path)


def remove_empty_folders(folder: Path) -> None:
    """Remove folders that imported files have left empty. Raises OSError."""
    for here, _, _ in os.walk(folder, topdown=False):
        if Path(here) != folder and not any(Path(here).iterdir()):
            Path(here).rmdir()


def write_notes(folder: Path, taken: list[str], mistakes: dict[str, str]) -> None:
    """Write MISTAKES.txt and TAKEN.txt. Raises OSError."""
    if mistakes:
        head = "Correct these, and restart the board. Unless stated otherwise, nothing of such a file was imported."
        _note(folder / "MISTAKES.txt", "\n\n".join([head, *("\n".join(lines) for lines in told(mistakes, MOST_TOLD))]))
    else:
        (folder / "MISTAKES.txt").unlink(missing_ok=True)
    if taken:
        _note(folder / "TAKEN.txt", "\n".join(["Imported, and removed from here:", *sorted(taken)]))


def told(mistakes: dict[str, str], most: int) -> list[list[str]]:
    """The first `most` mistakes as lines: a file name, followed by its mistakes, indented."""
    blocks = [[plain_name(name), *(f"    {line}" for line in plain(what).split("\n"))]
              for name, what in mistakes.items()]  # fmt: skip
    return blocks[:most] + ([[f"... and {len(blocks) - most} more"]] if len(blocks) > most else [])


def _note(path: Path, text: str) -> None:
    """Write with CRLF line endings, for any editor."""
    with path.open("wb") as file:
        file.write((text + "\n").replace("\n", "\r\n").encode())
        file.flush()
        os.fsync(file.fileno())
