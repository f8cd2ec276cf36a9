"""The container board's software: an environment with mien and its dependencies, mounted on the board's /opt/mien.

The services see no home and no /tmp: in a checkout there, they would not see its own environment.
"""

import hashlib
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from email.parser import BytesParser
from pathlib import Path
from typing import Final

from hil.errors import RigError
from hil.process import run

PART: Final = "card"
HIDDEN: Final = ("/home", "/root", "/tmp", "/var/tmp", "/run")  # from the services, by their sandbox
INSTALL_S: Final = 1200.0
EXTRAS: Final = "board,ear,link"
VERSION: Final = "import sys; print(*sys.version_info[:3], sep='.'); sys.exit(not (3, 11) <= sys.version_info[:2])"


class BoardSoftware:
    """folder: kept between runs. An unchanged wheel is not installed again, unchanged dependencies neither."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._stamp = folder.with_name(f"{folder.name}.stamp")

    def install(self, wheel: Path) -> None:
        """Make the folder hold this wheel with its dependencies. Raises RigError."""
        python, version = board_python()
        needed = hashlib.sha256("\n".join([str(python), version, EXTRAS, *requirements(wheel)]).encode()).hexdigest()
        wanted = f"{needed} {hashlib.sha256(wheel.read_bytes()).hexdigest()}"
        held = self._stamp.read_text() if self._stamp.exists() else ""
        if held == wanted:
            return
        self._stamp.unlink(missing_ok=True)
        if held.split(" ")[0] == needed:
            self._pip("install", "--force-reinstall", "--no-deps", str(wheel))
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
            run(PART, str(python), "-m", "venv", str(self.folder), timeout_s=INSTALL_S)
            self._pip("install", f"{wheel}[{EXTRAS}]")
        for path in (self.folder, *self.folder.rglob("*")):
            if not path.is_symlink():  # readable for the services' users, whatever the umask
                path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
        self._stamp.write_text(wanted)

    @property
    def data(self) -> Path:
        """The wheel's folder of systemd files, once installed."""
        return next(self.folder.glob("lib/python3*/site-packages/mien/data/systemd"))

    def _pip(self, *words: str) -> None:
        pip = (str(self.folder / "bin/python"), "-m", "pip", "--quiet", "--disable-pip-version-check")
        run(PART, *pip, *words, timeout_s=INSTALL_S, env=os.environ | {"PYTHONNOUSERSITE": "1"})


def requirements(wheel: Path) -> list[str]:
    """The wheel's dependencies, as its metadata states them."""
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return BytesParser().parsebytes(archive.read(name)).get_all("Requires-Dist", [])


def board_python() -> tuple[Path, str]:
    """A Python for the board, with its version: 3.11 or newer, at a place that services see. Raises RigError."""
    for python in _candidates():
        done = subprocess.run([python, "-c", VERSION], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            return python, done.stdout.strip()
    raise RigError(
        PART,
        f"the board's services need a Python 3.11 or newer outside {', '.join(HIDDEN)}: apt-get install python3-venv, "
        "or set MIEN_PYTHON",
    )


def _candidates() -> Iterator[Path]:
    wanted = [os.environ.get("MIEN_PYTHON", ""), "/usr/bin/python3.11", "/usr/bin/python3", "/usr/local/bin/python3"]
    for name in wanted:
        if (found := shutil.which(name)) and not any(Path(found).resolve().is_relative_to(place) for place in HIDDEN):
            yield Path(found)
