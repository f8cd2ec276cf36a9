"""Folders of a run; each is a small file system of its own if mounting is permitted."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

SIZES_MB: Final = {"run": 4, "journal": 4, "sound": 512}
MODELS: Final = Path(__file__).resolve().parents[1] / "models"
BALLAST: Final = "ballast"


class Places:
    """Temporary folders, removed on close. able: what this machine permits, such as "mount"."""

    def __init__(self) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="mien-chaos-"))
        self._mounted: list[Path] = []
        for name in (*SIZES_MB, "logs", "face"):
            (self.root / name).mkdir(mode=0o700)
        self.mounts = self._mount_all()
        self.refill_face()

    def __getitem__(self, name: str) -> Path:
        """The folder by name: run, journal, sound, logs, face, keys."""
        return self.root / name

    @property
    def able(self) -> frozenset[str]:
        """Probe what this machine permits."""
        return frozenset({"mount"} if self.mounts else ())

    def refill_face(self) -> None:
        """Restore the shipped avatar and model."""
        face = self["face"]
        for source in (
            MODELS / "avatars/default.mien-avatar",
            MODELS / "motion/mien-standard.json",
            MODELS / "motion/mien-standard.tflite",
        ):
            target = face / source.name
            if target.is_dir():
                shutil.rmtree(target)
            shutil.copyfile(source, face / f"{source.name}.new")
            (face / f"{source.name}.new").replace(target)

    def fill(self, name: str) -> None:
        """Fill the file system of a folder."""
        with contextlib.suppress(OSError), (self[name] / BALLAST).open("wb") as file:
            while True:
                file.write(bytes(1 << 16))
                file.flush()

    def empty(self, name: str) -> None:
        """Free the space again."""
        (self[name] / BALLAST).unlink(missing_ok=True)

    def cover(self, name: str) -> None:
        """Mount an empty read-only file system over a folder: open files stay open, no new ones can be opened."""
        _mount(self[name], "size=4k,mode=700,ro")
        self._mounted.append(self[name])

    def uncover(self, name: str) -> None:
        """Unmount it."""
        self._mounted.remove(self[name])
        _unmount(self[name])

    def close(self) -> None:
        """Leave nothing."""
        for path in reversed(self._mounted):
            _unmount(path)
        self._mounted.clear()
        shutil.rmtree(self.root, ignore_errors=True)

    def _mount_all(self) -> bool:
        if os.geteuid() != 0:
            return False
        for name, size_mb in SIZES_MB.items():
            if not _mount(self[name], f"size={size_mb}m,mode=700"):
                return False
            self._mounted.append(self[name])
        return True


def _mount(path: Path, options: str) -> bool:
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "mien-chaos", str(path)], capture_output=True, check=False
    )
    return done.returncode == 0


def _unmount(path: Path) -> None:
    subprocess.run(["umount", "--lazy", str(path)], capture_output=True, check=False)
