"""The container board's card: an overlay with mien over the host's root, which is read-only."""

import hashlib
import io
import subprocess
import tarfile
from pathlib import Path
from typing import Final

from hil.errors import RigError
from hil.process import run

PART: Final = "card"
MOST_MIB: Final = 96  # as small as a card's data partition, so that filling it is quick
UNWANTED: Final = (
    "postgresql.service",
    "postgresql@15-main.service",
    "binfmt-support.service",
    "systemd-networkd.service",
    "networking.service",
)
LAUNCHER: Final = """#!/usr/bin/python3.11
import sys

sys.path[:0] = ["/opt/mien/runtime", "{site}"]
from mien.{name}.__main__ import main

sys.exit(main())
"""
# SDL's X11 window instead of KMSDRM. On X11, unlike KMSDRM, eglGetDisplay() calls mincore().
FACE_DROP_IN: Final = """[Service]
Environment=SDL_VIDEODRIVER=x11 DISPLAY=:{display}
BindPaths=/run/screen:/tmp/.X11-unix
SystemCallFilter=mincore
"""
SETTINGS: Final = """[playback]
sink = "wav"
wav_path = "/run/mien/ear.wav"
buffer_ms = 60
[face]
width = {width}
height = {height}
"""


class ContainerCard:
    """work: an empty folder for the overlay. repository: whose .venv supplies the dependencies."""

    def __init__(self, work: Path, repository: Path, *, display: int, size: tuple[int, int]) -> None:
        self.root = work / "root"
        self._work = work
        self._repository = repository
        self._display = display
        self._size = size
        self._sha256 = ""

    def flash(self, image: Path) -> None:
        """Start from an empty layer with the tree in `image`, a tar from archive_commit(). The board must be off."""
        self.eject()
        for folder in ("below", "layer", "root"):
            (self._work / folder).mkdir(parents=True, exist_ok=True)
        run(PART, "mount", "--bind", "-o", "ro", "/", str(self._work / "below"))
        run(PART, "mount", "-t", "tmpfs", "-o", f"size={MOST_MIB}m,mode=755", "mien-card", str(self._work / "layer"))
        for folder in ("upper", "work"):
            (self._work / "layer" / folder).mkdir()
        layers = f"lowerdir={self._work}/below,upperdir={self._work}/layer/upper,workdir={self._work}/layer/work"
        run(PART, "mount", "-t", "overlay", "mien-board", "-o", layers, str(self.root))
        self._sha256 = hashlib.sha256(image.read_bytes()).hexdigest()
        with tarfile.open(image) as archive:
            archive.extractall(self.root / "opt/mien", filter="data")
        self._install()

    def sha256(self) -> str:
        """SHA-256 of the tar flashed last; "" before the first."""
        return self._sha256

    def eject(self) -> None:
        """Unmount and discard the layer; may be called twice."""
        for folder in ("root", "layer", "below"):
            while subprocess.run(["mountpoint", "-q", str(self._work / folder)], check=False).returncode == 0:
                run(PART, "umount", str(self._work / folder))

    def _install(self) -> None:
        run(PART, "sh", str(self.root / "opt/mien/systemd/install.sh"), str(self.root))
        site = self._repository / ".venv/lib/python3.11/site-packages"
        for name in ("voice", "face"):
            launcher = self._put(f"usr/bin/mien-{name}", LAUNCHER.format(site=site, name=name))
            launcher.chmod(0o755)
        self._put(
            "usr/bin/mien", LAUNCHER.format(site=site, name="cli").replace("mien.cli.__main__", "mien.cli")
        ).chmod(0o755)
        self._put("etc/systemd/system/mien-face.service.d/rig.conf", FACE_DROP_IN.format(display=self._display))
        width, height = self._size
        self._put("etc/mien/mien.toml", SETTINGS.format(width=width, height=height))
        self._put("etc/mien-release", f"NAME=mien\nVERSION_ID={self.version()}\n")
        units = self.root / "etc/systemd/system"
        for unit in UNWANTED:
            link = units / unit
            link.unlink(missing_ok=True)
            link.symlink_to("/dev/null")
        wants = units / "multi-user.target.wants"
        wants.mkdir(exist_ok=True)
        (wants / "mien.target").symlink_to("/usr/lib/systemd/system/mien.target")
        journal = self.root / "var/log/journal"
        journal.mkdir(exist_ok=True, parents=True)

    def version(self) -> str:
        """Version of the mien that is installed on it."""
        line = (self.root / "opt/mien/runtime/mien/__init__.py").read_text().split('__version__ = "', 1)[1]
        return line.split('"', 1)[0]

    def _put(self, path: str, text: str) -> Path:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target


def archive_commit(repository: Path, commit: str, target: Path) -> Path:
    """A tar of the files a board needs, at a commit. Raises RigError."""
    wanted = ("pyproject.toml", "runtime", "systemd", "models/motion", "models/avatars")
    made = subprocess.run(["git", "-C", str(repository), "archive", commit, *wanted], capture_output=True, check=False)
    if made.returncode:
        raise RigError(PART, f"git archive {commit}: {made.stderr.decode().strip()}")
    kept = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(made.stdout)) as whole, tarfile.open(fileobj=kept, mode="w") as part:
        for member in whole:
            if not member.name.endswith((".jpg", ".png")) and "/generator/" not in member.name:
                part.addfile(member, whole.extractfile(member) if member.isfile() else None)
    for old in target.parent.glob("mien-*.tar"):
        old.unlink()
    target.write_bytes(kept.getvalue())
    return target
