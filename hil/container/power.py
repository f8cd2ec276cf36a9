"""The container board's power: systemd-nspawn, started and killed."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

from hil.container.card import MACHINE, MICROPHONE
from hil.container.cgroup import limits
from hil.errors import RigError

PART: Final = "power"
LINES: Final = 15
# Debian 13's systemd boots on cgroup v2 only; nspawn mounts it in the container wherever the kernel has it.
ENVIRONMENT: Final = {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}


class ContainerPower:
    """root: of the card. memory_mb: of the whole board. screens: the folder of the X sockets.

    microphone: the folder of the virtual microphone's memory.
    """

    def __init__(self, root: Path, *, name: str, memory_mb: int, screens: Path, microphone: Path, log: Path) -> None:
        self.name = name
        self._root = root
        self._memory_mb = memory_mb
        self._screens = screens
        self._microphone = microphone
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self.on_ns = 0

    @property
    def is_on(self) -> bool:
        """Whether the container runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def leader(self) -> int:
        """The board's PID 1, as seen from the host. Raises RigError if the board is off."""
        if self._process is None or not self.is_on:
            raise RigError(PART, "the board is off")
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        if not children:
            raise RigError(PART, "the board is still starting")
        return int(children[0])

    def on(self) -> None:
        """Start the container; no effect if it runs."""
        if self.is_on:
            return
        if not (self._root / "usr").is_dir():
            raise RigError(PART, "the board has no card: flash it first")
        confined = limits(self.name, self._memory_mb)
        command = [
            *confined.prefix,
            "systemd-nspawn",
            "-q",
            "-D",
            str(self._root),
            "--register=no",
            "--keep-unit",
            "--console=pipe",
            "--private-network",
            f"--machine={self.name}",
            f"--uuid={MACHINE}",
            f"--bind={self._screens}:/run/screen",
            f"--bind-ro={self._microphone}:{MICROPHONE}",
            "-b",
        ]
        self.on_ns = time.monotonic_ns()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=confined.enter,
                env=os.environ | ENVIRONMENT,
            )
        self._await_leader()

    def cut(self) -> None:
        """Kill all processes by SIGKILL, without warning. The page cache survives; a real power cut would lose it."""
        if self._process is None:
            return
        try:
            os.kill(self.leader, signal.SIGKILL)
        except (RigError, ProcessLookupError):
            self._process.kill()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def said(self) -> str:
        """The last lines of the board's console."""
        text = self._log.read_text(errors="replace") if self._log.exists() else ""
        return "\n".join(text.splitlines()[-LINES:])

    def _await_leader(self) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                if Path(f"/proc/{self.leader}/ns/pid").readlink() != Path("/proc/self/ns/pid").readlink():
                    return
            except (RigError, OSError):
                if not self.is_on:
                    break
            time.sleep(0.02)
        raise RigError(PART, f"systemd-nspawn did not start:\n{self.said()}")
