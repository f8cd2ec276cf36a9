"""Processor time with memory of a running service, from /proc."""

import os
import time
from pathlib import Path
from typing import Final

from mien.bench.board.figures import figure
from mien.bench.board.report import Use
from mien.host.memory import pss_mb

TICKS_PER_S: Final = os.sysconf("SC_CLK_TCK")
PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
UTIME, STIME = 11, 12  # proc_pid_stat(5), fields 14 and 15, counted behind the name in parentheses


class UseMeter:
    """Measures one process from its construction to use(). All its threads count, its children do not."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._began_s = time.monotonic()
        self._before_s = cpu_seconds(pid)

    def use(self) -> Use:
        """The use since construction, with null figures if the process has ended."""
        now_s, elapsed_s = cpu_seconds(self._pid), time.monotonic() - self._began_s
        percent = None
        if now_s is not None and self._before_s is not None and elapsed_s > 0:
            percent = 100 * (now_s - self._before_s) / elapsed_s
        ended = "the service ended during the run"
        return Use(
            cpu_percent=figure(percent, ended),
            pss_mb=figure(_pss_mb(self._pid), "the kernel has no smaps_rollup for it, or the service ended"),
            rss_mb=figure(rss_mb(self._pid), ended),
        )


def unmeasured(reason: str) -> Use:
    """The use of a service that does not run here."""
    nothing = figure(None, reason)
    return Use(cpu_percent=nothing, pss_mb=nothing, rss_mb=nothing)


def cpu_seconds(pid: int) -> float | None:
    """The processor time of a process, user and system; None if it has ended."""
    try:
        text = Path("/proc", str(pid), "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return (int(fields[UTIME]) + int(fields[STIME])) / TICKS_PER_S


def rss_mb(pid: int) -> float | None:
    """The resident memory of a process in MB of 10**6 bytes; None if it has ended."""
    try:
        return int(Path("/proc", str(pid), "statm").read_text(encoding="ascii").split()[1]) * PAGE_BYTES / 1e6
    except OSError:
        return None


def _pss_mb(pid: int) -> float | None:
    try:
        return pss_mb(pid)
    except (OSError, ValueError):
        return None
