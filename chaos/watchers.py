"""Listeners for mien's own reports: levels on the bus, watchdog notifications on systemd's socket."""

import os
import socket
import struct
import threading
import time
from pathlib import Path
from typing import Final

import zmq

from mien.core import bus, ear_bus
from mien.errors import BusError
from mien.transport.bus import subscribe
from mien.transport.ear_bus import subscribe_meter

WATCHDOG_S: Final = 10.0
_CREDENTIALS: Final = struct.Struct("3i")


class BusWatch:
    """The newest health of voice and face. Reconnects every `renew_s`, since a socket may be replaced."""

    def __init__(self, run_dir: Path, renew_s: float = 3.0) -> None:
        self._run_dir = run_dir
        self._renew_s = renew_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="bus", daemon=True)
        self.voice: tuple[float, bus.VoiceHealth] | None = None
        self.face: tuple[float, bus.FaceHealth] | None = None

    def start(self) -> None:
        """Start listening."""
        self._thread.start()

    def close(self) -> None:
        """No more."""
        self._stopping.set()
        self._thread.join()

    def level(self, pid: int | None) -> str:
        """The level reported by the voice `pid` within the last 3 s; "" if none."""
        if self.voice is None or time.monotonic() - self.voice[0] > 3.0 or self.voice[1].pid != pid:
            return ""
        return self.voice[1].level

    def _listen(self) -> None:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        while not self._stopping.is_set():
            until_s = time.monotonic() + self._renew_s
            listener = subscribe(context, self._run_dir)
            while not self._stopping.is_set() and time.monotonic() < until_s:
                if listener.poll(100):
                    until_s = time.monotonic() + self._renew_s
                    self._take(listener.recv_multipart()[0])
            listener.close()
        context.term()

    def _take(self, frame: bytes) -> None:
        try:
            message = bus.decode_from_voice(frame)
        except BusError:
            return
        if isinstance(message, bus.VoiceHealth):
            self.voice = (time.monotonic(), message)
        elif isinstance(message, bus.FaceHealth):
            self.face = (time.monotonic(), message)


class EarWatch:
    """The newest health of the ear, with the time at which it came. Reconnects every `renew_s`."""

    def __init__(self, run_dir: Path, renew_s: float = 3.0) -> None:
        self._run_dir = run_dir
        self._renew_s = renew_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="ear", daemon=True)
        self.told: tuple[float, ear_bus.EarHealth] | None = None

    def start(self) -> None:
        """Start listening."""
        self._thread.start()

    def close(self) -> None:
        """No more."""
        self._stopping.set()
        self._thread.join()

    def _listen(self) -> None:
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        while not self._stopping.is_set():
            until_s = time.monotonic() + self._renew_s
            listener = subscribe_meter(context, self._run_dir)
            while not self._stopping.is_set() and time.monotonic() < until_s:
                if listener.poll(100):
                    self._take(listener.recv())
            listener.close()
        context.term()

    def _take(self, frame: bytes) -> None:
        try:
            message = ear_bus.decode_for_meter(frame)
        except BusError:
            return
        if isinstance(message, ear_bus.EarHealth):
            self.told = (time.monotonic(), message)


class SystemdSocket:
    """Stands in for systemd: receives READY and WATCHDOG of all services, by PID."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._socket.bind(str(path))
        self._socket.settimeout(0.2)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="systemd", daemon=True)
        self.deaf = threading.Event()
        self.fed: dict[int, float] = {}
        self.ready: set[int] = set()
        self.environment = {"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": str(int(WATCHDOG_S * 1e6))}

    def start(self) -> None:
        """Start listening."""
        self._thread.start()

    def close(self) -> None:
        """No more."""
        self._stopping.set()
        self._thread.join()
        self._socket.close()

    def hungry_s(self, pid: int) -> float:
        """Seconds since the last watchdog notification of a process; 0 before READY and while not listening."""
        if self.deaf.is_set():
            return 0.0
        return time.monotonic() - self.fed[pid] if pid in self.ready else 0.0

    def _listen(self) -> None:
        while not self._stopping.is_set():
            if self.deaf.is_set():
                self._stopping.wait(0.2)
                continue
            try:
                data, ancillary, _, _ = self._socket.recvmsg(4096, socket.CMSG_SPACE(_CREDENTIALS.size))
            except TimeoutError:
                continue
            for level, kind, content in ancillary:
                if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                    self._take(_CREDENTIALS.unpack(content[: _CREDENTIALS.size])[0], data)

    def _take(self, pid: int, data: bytes) -> None:
        now_s = time.monotonic()
        if pid == os.getpid():
            return
        if data.startswith(b"READY=1"):
            self.ready.add(pid)
            self.fed[pid] = now_s
        elif data.startswith(b"WATCHDOG=1"):
            self.fed[pid] = now_s
