"""The machine's vital signs, read from /proc or asked of a file system.

Every function takes the root to read from, normally "/". What cannot be read is None, never a guess.
"""

import os
import re
from pathlib import Path
from typing import Final, NamedTuple

from mien.host.board import ROOT

_BYTES_PER_KIB: Final = 1024
_BYTES_PER_MB: Final = 1_000_000


class Disk(NamedTuple):
    """Of the file system that holds a folder. used: 0..1, of what an ordinary user may use."""

    free_mb: float
    used: float


def uptime_s(root: Path = ROOT) -> float | None:
    """Seconds since the start of the machine."""
    return _number(_text(root / "proc/uptime").split(" ")[0])


def load(root: Path = ROOT) -> float | None:
    """The load average of a minute."""
    return _number(_text(root / "proc/loadavg").split(" ")[0])


def memory_free_mb(root: Path = ROOT) -> float | None:
    """What new programs could get without swapping, in MB of 10**6 bytes."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB", _text(root / "proc/meminfo"), re.MULTILINE)
    return int(found.group(1)) * _BYTES_PER_KIB / _BYTES_PER_MB if found else None


def disk(folder: Path) -> Disk | None:
    """The file system of a folder."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    total = found.f_blocks - found.f_bfree + found.f_bavail
    if total <= 0:
        return None
    return Disk(found.f_bavail * found.f_frsize / _BYTES_PER_MB, min(1.0, 1 - found.f_bavail / total))


def signal_dbm(root: Path = ROOT) -> float | None:
    """The strength of the first radio link; None without one. From /proc/net/wireless."""
    for line in _text(root / "proc/net/wireless").splitlines():
        found = re.match(r"\s*\w+:\s+\S+\s+\S+\s+(-\d+)", line)
        if found:
            return float(found.group(1))
    return None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""
