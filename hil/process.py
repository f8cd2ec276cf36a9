"""Host commands for a rig's parts."""

import subprocess
from collections.abc import Mapping

from hil.errors import RigError


def run(part: str, *command: str, timeout_s: float = 60.0, env: Mapping[str, str] | None = None) -> str:
    """Run a command, return its stdout. part: named in errors. Raises RigError with the command and its output."""
    return read(part, *command, timeout_s=timeout_s, env=env).decode(errors="replace")


def read(part: str, *command: str, timeout_s: float = 60.0, env: Mapping[str, str] | None = None) -> bytes:
    """run() for a command whose output is no text."""
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=timeout_s, check=False, env=env, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise RigError(part, f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise RigError(part, f"{' '.join(command)}: not finished within {timeout_s:.0f} s") from None
    if done.returncode:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise RigError(part, f"{' '.join(command)}: {said[-400:]}")
    return done.stdout
