"""A root shell in the container board."""

import subprocess
from collections.abc import Callable

from hil.contracts import Done
from hil.errors import RigError


class ContainerConsole:
    """leader: returns the board's PID 1."""

    def __init__(self, leader: Callable[[], int]) -> None:
        self._leader = leader

    def run(self, command: str, timeout_s: float = 30.0) -> Done:
        """Run a line of shell on the board."""
        try:
            done = subprocess.run(
                ["nsenter", "-t", str(self._leader()), "-a", "bash", "-c", command],
                timeout=timeout_s,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            )
        except subprocess.TimeoutExpired:
            raise RigError("console", f"no answer to {command!r} within {timeout_s:.0f} s") from None
        return Done(done.returncode, done.stdout.strip())

    def close(self) -> None:
        """Does nothing: each command runs in a process of its own."""
