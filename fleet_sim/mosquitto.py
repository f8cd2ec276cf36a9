"""A real mosquitto on this machine, configured as Debian's is: a main file that includes a folder."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from mien.bench.link_broker import mosquitto_program

PATIENCE_S: Final = 15.0


class Broker:
    """mosquitto with the configuration files of `conf_d`. ports: those that it opens."""

    def __init__(self, folder: Path, conf_d: Path, ports: Sequence[int]) -> None:
        self._conf = folder / "mosquitto.conf"
        self._log = folder / "mosquitto.log"
        self._ports = ports
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "db").mkdir(parents=True, exist_ok=True)
        user = "user root\n" if os.getuid() == 0 else ""  # else it gives up root, and cannot read a private folder
        self._conf.write_text(
            f"{user}persistence true\npersistence_location {folder}/db/\nlog_dest file {self._log}\n"
            f"log_type error\nlog_type warning\nlog_type notice\nlog_type information\ninclude_dir {conf_d}\n"
        )

    def start(self) -> None:
        """Start, and wait for its ports. Raises RuntimeError with its log."""
        self._process = subprocess.Popen([mosquitto_program(), "-c", str(self._conf)], stderr=subprocess.DEVNULL)
        for port in self._ports:
            wait_until(partial(self._answers, port))

    def reload(self) -> None:
        """Let it read access list, passwords and certificates again; returns once it has."""
        assert self._process is not None
        before = self.log.count("Reloading config")
        self._process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.log.count("Reloading config") > before)
        time.sleep(0.3)

    def stop(self) -> None:
        """End it. A second call does nothing."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(PATIENCE_S)
            self._process = None

    @property
    def pid(self) -> int:
        """Of the running broker."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """What it has written."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def _answers(self, port: int) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"mosquitto has ended:\n{self.log}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
            return True
        return False


def free_ports(count: int) -> list[int]:
    """Ports of this machine that nobody uses now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def wait_until(met: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
    """Wait until `met()` is true. Raises TimeoutError."""
    until_s = time.monotonic() + patience_s
    while not met():
        if time.monotonic() > until_s:
            raise TimeoutError(f"it did not happen within {patience_s:g} s")
        time.sleep(0.02)
