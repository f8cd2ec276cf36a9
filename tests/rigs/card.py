"""A board with its card in temporary folders; commands are recorded and answered."""

import importlib.machinery
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

SCRIPT = Path(__file__).resolve().parents[2] / "firmware_scripts" / "overlay" / "usr/lib/mien/provision"
PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJvYXJkYm9hcmRib2FyZGJvYXJkYm9hcmRib2FyZGJv somebody"
SSH_START = ["systemctl", "--no-block", "start", "ssh.service"]


def load() -> ModuleType:
    """Import the program `provision` as a module."""
    loader = importlib.machinery.SourceFileLoader("mien_provision", str(SCRIPT))
    spec = importlib.util.spec_from_loader("mien_provision", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode, before = True, sys.dont_write_bytecode  # the image copies the overlay unchanged
    loader.exec_module(module)
    sys.dont_write_bytecode = before
    return module


program = load()

from provisioning.board import Board  # noqa: E402  # the program extends sys.path
from provisioning.follow import show_mistakes  # noqa: E402, F401
from provisioning.takeover import Report, provision  # noqa: E402


class Card:
    """refuses: command -> its stderr; it then exits with 2. raises: command -> the exception that running it raises."""

    def __init__(self, folder: Path) -> None:
        self.mien = folder / "firmware" / "mien"
        self.etc = folder / "data" / "etc"
        self.screen = folder / "tty"
        self.mien.mkdir(parents=True)
        self.commands: list[list[str]] = []
        self.refuses: dict[str, str] = {}
        self.raises: dict[str, Exception] = {}
        self.slept_s: list[float] = []
        self.free_bytes: list[int] = [5]  # successive answers, taken from the end
        self.board = Board(firmware=folder / "firmware", data=folder / "data", screen=self.screen, run=self._run,
                           sleep=self._sleep, free_bytes=lambda _: self.free_bytes.pop())  # fmt: skip

    def _run(self, command: list[str]) -> "subprocess.CompletedProcess[str]":
        self.commands.append(command)
        if command[0] in self.raises:
            raise self.raises[command[0]]
        said = self.refuses.get(command[0], "")
        return subprocess.CompletedProcess(command, 2 if said else 0, "", said)

    def _sleep(self, seconds: float) -> None:
        self.commands.append(["sleep"])
        self.slept_s.append(seconds)

    def put(self, name: str, content: str | bytes) -> Path:
        """Write a file below mien/."""
        path = self.mien / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def provision(self) -> Report:
        """Run provision(); returns its report."""
        return provision(self.board)

    def main(self) -> int:
        """Run the whole program. Returns its exit status."""
        status: int = program.main(self.board)
        return status

    @property
    def note(self) -> str:
        """The text of MISTAKES.txt; "" without one."""
        path = self.mien / "MISTAKES.txt"
        return path.read_bytes().decode() if path.exists() else ""
