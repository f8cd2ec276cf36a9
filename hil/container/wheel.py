"""Builds the wheel of a commit: what is flashed onto the container board."""

import io
import os
import shutil
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from hil.errors import RigError
from hil.process import read, run

PART: Final = "card"
SOURCES: Final = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "runtime", "systemd", "models/motion")
AVATARS: Final = "models/avatars/*.mien-avatar"
BUILD_S: Final = 600.0


def wheel_of_commit(repository: Path, commit: str, folder: Path) -> Path:
    """The wheel, from `folder` if it is there. Wheels of other commits are removed. Raises RigError."""
    commit = _git(repository, "rev-parse", f"{commit}^{{commit}}").decode().strip()
    place = folder / commit
    if not (found := list(place.glob("mien-*.whl"))):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with tempfile.TemporaryDirectory(dir=folder) as made:
            _build(repository, commit, Path(made))
            (Path(made) / "wheel").rename(place)
        found = list(place.glob("mien-*.whl"))
    return found[0]


def _build(repository: Path, commit: str, folder: Path) -> None:
    archive = _git(repository, "archive", commit, *SOURCES, f":(glob){AVATARS}")
    with tarfile.open(fileobj=io.BytesIO(archive)) as tree:
        tree.extractall(folder / "source", filter="data")
    pip = (sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check", "--no-deps")
    committed_s = _git(repository, "log", "-1", "--format=%ct", commit).decode().strip()
    run(
        PART,
        *pip,
        "-w",
        str(folder / "wheel"),
        str(folder / "source"),
        timeout_s=BUILD_S,
        env=os.environ | {"SOURCE_DATE_EPOCH": committed_s},
    )


def _git(repository: Path, *words: str) -> bytes:
    """git's output. The checkout may be another user's: the rig runs as root."""
    git = ("git", "-C", str(repository), "-c", f"safe.directory={repository}")
    if not (repository / ".git").exists():
        raise RigError(PART, f"{repository} is no git checkout; the board gets a commit of one")
    return read(PART, *git, *words)
