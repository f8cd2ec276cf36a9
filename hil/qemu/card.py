"""The emulated board's card: a copy of the image, with a test's settings put where a user would put them."""

import hashlib
import shutil
from pathlib import Path
from typing import Final

from hil.process import run

PART: Final = "card"
FIRMWARE_AT: Final = 4 * 2**20  # firmware_scripts/README.md: the FAT partition
SIZE: Final = "4G"
BOARD: Final = 'hostname = "rig"\nconsole = true\n'


class QemuCard:
    """work: its folder. settings: mien.toml's text. public_key: who may log in; its file lies in `work`."""

    def __init__(self, work: Path, settings: str) -> None:
        self.path = work / "card.raw"
        self.key = work / "key"
        self._work = work
        self._settings = settings
        self._sha256 = ""

    def flash(self, image: Path) -> None:
        """Copy the image, make the card larger than it, provision it. The board must be off."""
        self._work.mkdir(parents=True, exist_ok=True)
        run(PART, "cp", "--sparse=always", str(image), str(self.path), timeout_s=600)
        with image.open("rb") as file:
            self._sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        run(PART, "truncate", "-s", SIZE, str(self.path))
        self._provision()

    def sha256(self) -> str:
        """Of the image that was flashed last; "" before the first."""
        return self._sha256

    def _provision(self) -> None:
        if not self.key.exists():
            run(PART, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "rig", "-f", str(self.key))
        folder = self._work / "provision"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        (folder / "board.toml").write_text(BOARD)
        (folder / "mien.toml").write_text(self._settings)
        shutil.copy(self.key.with_suffix(".pub"), folder / "authorized_keys")
        run(
            PART,
            "mcopy",
            "-o",
            "-i",
            f"{self.path}@@{FIRMWARE_AT}",
            *map(str, sorted(folder.iterdir())),
            "::mien/",
            env={"MTOOLS_SKIP_CHECK": "1", "PATH": "/usr/bin:/bin"},
        )
