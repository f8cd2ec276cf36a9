"""Where things are on a board, and how commands are run on it."""

import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOST_S: Final = 120  # an emulated board takes most of a minute to check mien.toml


def run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    """The command, ended, with what it said. Raises OSError, subprocess.TimeoutExpired."""
    return subprocess.run(
        command, capture_output=True, text=True, errors="backslashreplace", check=False, timeout=MOST_S)  # fmt: skip


def free_bytes(folder: Path) -> int:
    """How much is free on the folder's file system. Raises OSError."""
    return shutil.disk_usage(folder).free


@dataclass(frozen=True)
class Board:
    """The tests put everything into a folder of their own, and act the commands."""

    firmware: Path = Path("/boot/firmware")
    data: Path = Path("/data")
    screen: Path = Path("/dev/tty1")
    run: Callable[[list[str]], "subprocess.CompletedProcess[str]"] = run
    sleep: Callable[[float], None] = time.sleep
    free_bytes: Callable[[Path], int] = free_bytes

    @property
    def card(self) -> Path:
        """The folder into which settings are put."""
        return self.firmware / "mien"

    @property
    def etc(self) -> Path:
        """Where settings live."""
        return self.data / "etc"
