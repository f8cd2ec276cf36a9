"""What lies in the card's folder, and the notes that it carries back to whoever filled it."""

import os
import stat
from pathlib import Path
from typing import Final

from provisioning.mistake import plain, plain_name

NOTES: Final = ("MISTAKES.txt", "TAKEN.txt", "README.txt", "voice.key")
DEEPEST: Final = 4  # keys/allowed/ROLE/NAME.key
MOST_FILES: Final = 300
MOST_TOLD: Final = 40
_ORDER: Final = ("authorized_keys", "board.toml", "keys", "mien.toml")  # mien.toml's check looks for the keys


class Listing:
    """files: those to take over, in their order. odd: what is wrong with the others, by name.

    Hidden files and the notes are neither.
    """

    def __init__(self, folder: Path) -> None:
        self.files: list[Path] = []
        self.odd: dict[str, str] = {}
        self._folder = folder
        left = [folder]
        while left and len(self.files) <= MOST_FILES:
            left += self._look_into(left.pop())
        if len(self.files) > MOST_FILES:
            self.odd["(this folder)"] = f"more than {MOST_FILES} files: some were not looked at"
        self.files = sorted(self.files, key=self._place)[:MOST_FILES]

    def _look_into(self, here: Path) -> list[Path]:
        """Returns its folders."""
        folders = []
        try:
            for path in sorted(here.iterdir()):
                if not path.name.startswith(".") and path.relative_to(self._folder).as_posix() not in NOTES:
                    folders += self._sort(path)
        except FileNotFoundError:
            pass  # there is nothing to take over
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
            self.odd[str(name)] = "too many folders inside one another: nothing in it was looked at"
        else:
            return [path]
        return []

    def _place(self, path: Path) -> tuple[int, str]:
        first = path.relative_to(self._folder).parts[0]
        return _ORDER.index(first) if first in _ORDER else len(_ORDER), str(path)


def remove_empty_folders(folder: Path) -> None:
    """What the files that were taken lay in. Raises OSError."""
    for here, _, _ in os.walk(folder, topdown=False):
        if Path(here) != folder and not any(Path(here).iterdir()):
            Path(here).rmdir()


def write_notes(folder: Path, taken: list[str], mistakes: dict[str, str]) -> None:
    """MISTAKES.txt and TAKEN.txt. Raises OSError."""
    if mistakes:
        head = "Mend these, and start the board again. Unless it says otherwise, nothing of such a file was taken over."
        _note(folder / "MISTAKES.txt", "\n\n".join([head, *("\n".join(lines) for lines in told(mistakes, MOST_TOLD))]))
    else:
        (folder / "MISTAKES.txt").unlink(missing_ok=True)
    if taken:
        _note(folder / "TAKEN.txt", "\n".join(["Taken over, and removed from here:", *sorted(taken)]))


def told(mistakes: dict[str, str], most: int) -> list[list[str]]:
    """The first `most` mistakes as lines: a file's name, and indented what is wrong."""
    blocks = [[plain_name(name), *(f"    {line}" for line in plain(what).split("\n"))]
              for name, what in mistakes.items()]  # fmt: skip
    return blocks[:most] + ([[f"... and {len(blocks) - most} more"]] if len(blocks) > most else [])


def _note(path: Path, text: str) -> None:
    """For any editor: lines as Windows ends them."""
    with path.open("wb") as file:
        file.write((text + "\n").replace("\n", "\r\n").encode())
        file.flush()
        os.fsync(file.fileno())
