"""A board's paths, with a way to run commands."""

import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOST_S: Final = 120  # an emulated board takes almost a minute to check mien.toml


def run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    """Run a command and capture its output. Raises OSError, subprocess.TimeoutExpired."""
    return subprocess.run(
        command, capture_output=True, text=True, errors="backslashreplace", check=False, timeout=MOST_S)  # fmt: skip


def free_bytes(folder: Path) -> int:
    """Free bytes on the folder's file system. Raises OSError."""
    return shutil.disk_usage(folder).free


@dataclass(frozen=True)
class Board:
    """Paths and commands of a board; tests replace them."""

    firmware: Path = Path("/boot/firmware")
    data: Path = Path("/data")
    screen: Path = Path("/dev/tty1")
    run: Callable[[list[str]], "subprocess.CompletedProcess[str]"] = run
    sleep: Callable[[float], None] = time.sleep
    free_bytes: Callable[[Path], int] = free_bytes

    @property
    def card(self) -> Path:
        """The card's folder for settings to import."""
        return self.firmware / "mien"

    @property
    def etc(self) -> Path:
        """The folder of the active settings."""
        return self.data / "etc"
