"""SSH tunnel from a local socket to the voice's socket on an emulated or bench board."""

import subprocess
import time
from pathlib import Path
from typing import Final

from hil.errors import RigError

PART: Final = "voice stack"
VOICE_SOCKET: Final = "/run/mien/voice.sock"


class SshTunnel:
    """host, port, key: for a login as root. Opened on first use, and reopened if it has ended."""

    def __init__(self, work: Path, *, host: str, port: int, key: Path, timeout_s: float) -> None:
        self._local = work / "voice.sock"
        self._host, self._port, self._key = host, port, key
        self._timeout_s = timeout_s
        self._process: subprocess.Popen[bytes] | None = None

    def endpoint(self) -> str:
        """The local endpoint. Raises RigError if the board cannot be reached."""
        deadline = time.monotonic() + self._timeout_s
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                self._open()
            if self._local.exists():
                return f"ipc://{self._local}"
            time.sleep(0.2)
        raise RigError(PART, f"no tunnel to {self._host}:{self._port} within {self._timeout_s:.0f} s")

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None
        self._local.unlink(missing_ok=True)

    def _open(self) -> None:
        self.close()
        options = {
            "StrictHostKeyChecking": "no",
            "UserKnownHostsFile": "/dev/null",
            "ExitOnForwardFailure": "yes",
            "LogLevel": "ERROR",
            "ConnectTimeout": str(int(self._timeout_s)),
            "ServerAliveInterval": "15",
            "ServerAliveCountMax": "20",
        }
        words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        self._process = subprocess.Popen(
            ["ssh", "-N", *words, "-i", str(self._key), "-p", str(self._port), "-L", f"{self._local}:{VOICE_SOCKET}",
             f"root@{self._host}"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)  # fmt: skip
        time.sleep(0.5)
