"""Working copy of the tree, in which mutants are inserted and pytest is run."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from mutants import sandbox
from mutants.source import Edit
from mutants.targets import ROOT

_times = count(1)


class Workspace:
    """A worker's copy; a context manager. Its path is short, because the length of socket names is limited."""

    def __init__(self, root: Path = ROOT) -> None:
        self.work = Path(tempfile.mkdtemp(prefix="mm", dir="/tmp"))
        self.tree = self.work / "t"
        _copy(root, self.tree)
        if (root.parent / "shared").is_dir():
            (self.work / "shared").symlink_to(root.parent / "shared")
        self._check_its_own_mien_is_used()

    def __enter__(self) -> "Workspace":
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.work, ignore_errors=True)

    @contextmanager
    def changed(self, file: str, edit: Edit) -> Iterator[None]:
        """Apply an edit for the duration of the block."""
        original = (self.tree / file).read_bytes()
        self._put(file, edit.apply(original))
        try:
            yield
        finally:
            self._put(file, original)

    def _put(self, file: str, data: bytes) -> None:
        """Write with a new modification time, so that Python recompiles the file."""
        path = self.tree / file
        path.write_bytes(data)
        at = time.time() + 2 * next(_times)
        os.utime(path, (at, at))

    def pytest(self, plugin: str, arguments: list[str], environment: dict[str, str], seconds: float) -> int | None:
        """Run pytest in the copy; returns its exit status, None after a timeout. plugin: module of this package."""
        for name in ("p", ".hypothesis"):
            shutil.rmtree(self.work / name if name == "p" else self.tree / name, ignore_errors=True)
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            f"mutants.{plugin}",
            "-p",
            "no:cacheprovider",
            f"--basetemp={self.work / 'p'}",
            "--hypothesis-seed=0",
            *arguments,
        ]
        return sandbox.run(
            command, folder=self.tree, work=self.work, environment=self._environment() | environment, seconds=seconds
        )

    def output(self) -> str:
        """Output of the last pytest run."""
        return (self.work / "output").read_text(errors="replace")

    def _environment(self) -> dict[str, str]:
        temporary = self.work / "tmp"
        temporary.mkdir(exist_ok=True)
        paths = [self.tree / "runtime", self.tree, self.tree / "mutants/in_subprocesses"]
        inherited = [path for path in os.environ.get("PYTHONPATH", "").split(":") if path]
        return os.environ | {
            "PYTHONPATH": ":".join([*map(str, paths), *inherited]),
            "TMPDIR": str(temporary),
            "HOME": str(temporary),
            "OPENBLAS_NUM_THREADS": "1",
        }

    def _check_its_own_mien_is_used(self) -> None:
        code = "import json, mien; print(json.dumps(mien.__file__))"
        said = subprocess.run(
            [sys.executable, "-c", code],
            cwd=self.tree,
            env=self._environment(),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        if not Path(json.loads(said)).is_relative_to(self.tree):
            raise SystemExit(f"mutants: Python imports {said.strip()}, not the copy in {self.tree}")


def _copy(root: Path, to: Path) -> None:
    """Copy tracked, changed and new files, but no ignored ones."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=root, capture_output=True, check=True
    ).stdout
    for name in listed.decode().split("\0"):
        if name and (root / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, to / name)
