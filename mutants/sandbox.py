"""Sandbox for a command: bounds memory, CPU, files, time; kills its descendants at the end."""

import ctypes
import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path

_running: set[int] = set()
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1  # linux/prctl.h: the sandboxed command dies with its parent
ADDRESS_SPACE_BYTES = 6 * 2**30
FILE_BYTES = 512 * 2**20

# Where permitted (as root), everything but the work folder is read-only, and no outside process can be signalled.
_SHUT_IN = """
mount --bind "$1" "$1"
mount -o remount,bind,ro /
mount -t tmpfs -o size=256m tmpfs /dev/shm
cd "$2"
shift 2
exec "$@"
"""
_UNSHARE = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


@cache
def can_shut_in() -> bool:
    """Whether this machine permits new namespaces."""
    if shutil.which("unshare") is None:
        return False
    probe = [*_UNSHARE, "sh", "-ec", _SHUT_IN, "sh", "/var/tmp", "/var/tmp", "true"]
    return subprocess.run(probe, capture_output=True, check=False, timeout=20).returncode == 0


def run(command: list[str], *, folder: Path, work: Path, environment: dict[str, str], seconds: float) -> int | None:
    """Run a command; returns its exit status (negative: the signal that ended it), or None after a timeout.

    folder: working directory. work: the only writable folder. stdout and stderr go to work/output.
    """
    shut_in = [*_UNSHARE, "sh", "-ec", _SHUT_IN, "sh", str(work), str(folder)] if can_shut_in() else []
    with (
        (work / "output").open("wb") as output,
        subprocess.Popen(
            [*shut_in, *command],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_limits(seconds),
        ) as process,
    ):
        _running.add(process.pid)
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _end(process.pid)


def end_all() -> None:
    """Kill whatever still runs: called when the tool itself is stopped."""
    for group in list(_running):
        _end(group)


def _end(group: int) -> None:
    _running.discard(group)
    with suppress(ProcessLookupError):  # the process group has already ended
        os.killpg(group, signal.SIGKILL)


def _limits(seconds: float) -> Callable[[], None]:
    cpu_s = int(seconds) + 10

    def set_limits() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        os.nice(10)
        for what, most in (
            (resource.RLIMIT_AS, ADDRESS_SPACE_BYTES),
            (resource.RLIMIT_CPU, cpu_s),
            (resource.RLIMIT_FSIZE, FILE_BYTES),
            (resource.RLIMIT_CORE, 0),
        ):
            hard = resource.getrlimit(what)[1]
            resource.setrlimit(what, (most, most) if hard == resource.RLIM_INFINITY else (min(most, hard), hard))

    return set_limits
