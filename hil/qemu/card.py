"""The emulated board's card: a copy of the image, with settings on the FAT partition as a user would put them."""

import hashlib
import shutil
from pathlib import Path
from typing import Final

from hil.images import fingerprint
from hil.process import run

PART: Final = "card"
FIRMWARE_AT: Final = 4 * 2**20  # firmware_scripts/README.md: the FAT partition
SIZE: Final = "4G"
BOARD: Final = 'hostname = "rig"\nconsole = true\n'


class QemuCard:
    """work: a scratch folder. settings: the text of mien.toml. public_key: name of a file in `work`; it may log in."""

    def __init__(self, work: Path, settings: str) -> None:
        self.path = work / "card.qcow2"  # an overlay over the image: the board's writes and its saved states
        self._image = work / "card.raw"
        self.key = work / "key"
        self._work = work
        self._settings = settings
        self._note = work / "flashed.sha256"
        self._provisioned = hashlib.sha256((BOARD + settings).encode()).hexdigest()
        self._sha256 = self._noted()

    def flash(self, image: Path) -> None:
        """Copy the image, enlarge it as a card would be, provision it. The board must be off."""
        self._work.mkdir(parents=True, exist_ok=True)
        run(PART, "cp", "--sparse=always", str(image), str(self._image), timeout_s=600)
        self._sha256 = fingerprint(image)
        run(PART, "truncate", "-s", SIZE, str(self._image))
        self._provision()
        self.path.unlink(missing_ok=True)
        run(PART, "qemu-img", "create", "-q", "-f", "qcow2", "-b", self._image.name, "-F", "raw", str(self.path))
        self._note.write_text(f"{self._sha256} {self._provisioned}")

    def sha256(self) -> str:
        """SHA-256 of the image flashed last, with these settings; "" before the first."""
        return self._sha256

    def has_state(self, name: str) -> bool:
        """Whether a running board has been saved under this name since the card was flashed."""
        return self.path.exists() and f" {name} " in run(PART, "qemu-img", "snapshot", "-U", "-l", str(self.path))

    def _noted(self) -> str:
        noted = self._note.read_text().split() if self._note.exists() and self.path.exists() else []
        return noted[0] if noted[1:] == [self._provisioned] else ""

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
            f"{self._image}@@{FIRMWARE_AT}",
            *map(str, sorted(folder.iterdir())),
            "::mien/",
            env={"MTOOLS_SKIP_CHECK": "1", "PATH": "/usr/bin:/bin"},
        )
