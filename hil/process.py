"""Running the host's commands for a rig's parts."""

import subprocess
from collections.abc import Mapping

from hil.errors import RigError


def run(part: str, *command: str, timeout_s: float = 60.0, env: Mapping[str, str] | None = None) -> str:
    """What a command prints. part: whose failure it is. Raises RigError with the command and what it said."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=timeout_s, check=False, env=env, stdin=subprocess.DEVNULL
        )
    except FileNotFoundError:
        raise RigError(part, f"{command[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise RigError(part, f"{' '.join(command)}: no end within {timeout_s:.0f} s") from None
    if done.returncode:
        raise RigError(part, f"{' '.join(command)}: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout
