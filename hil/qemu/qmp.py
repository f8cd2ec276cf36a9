"""The subset of QEMU's machine protocol that the rig needs. See QEMU's QMP reference for the commands."""

import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

from hil.errors import RigError


class Qmp:
    """One connection; safe for threads."""

    def __init__(self, path: Path, timeout_s: float = 60.0) -> None:
        """Raises RigError if QEMU does not answer within timeout_s."""
        self._lock = threading.Lock()
        self._socket = socket.socket(socket.AF_UNIX)
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                self._socket.connect(str(path))
                break
            except OSError as error:
                if time.monotonic() > deadline:
                    raise RigError("power", f"{path}: QEMU does not answer ({error.strerror})") from None
                time.sleep(0.05)
        self._socket.settimeout(timeout_s)
        self._file = self._socket.makefile("rw")
        self._file.readline()
        self.run("qmp_capabilities")

    def run(self, command: str, **arguments: Any) -> Any:
        """Execute a command, return its result. Raises RigError with QEMU's reason."""
        with self._lock:
            try:
                self._file.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
                self._file.flush()
                while line := self._file.readline():
                    answer = json.loads(line)
                    if "return" in answer:
                        return answer["return"]
                    if "error" in answer:
                        raise RigError("power", f"{command}: {answer['error']['desc']}")
            except OSError as error:
                raise RigError("power", f"{command}: QEMU has exited ({error})") from None
        raise RigError("power", f"{command}: QEMU has exited")

    def monitor(self, line: str) -> str:
        """Execute a line of the human monitor, return its output."""
        return str(self.run("human-monitor-command", **{"command-line": line}))

    def close(self) -> None:
        """Hang up."""
        self._file.close()
        self._socket.close()
