"""A root shell over a serial line, real or emulated."""

import contextlib
import re
import secrets
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from hil.contracts import Done
from hil.errors import RigError

PART: Final = "console"
LISTEN_S: Final = 2.0  # input during U-Boot's countdown would stop the boot
# Rarely, and one byte at a time: while the guest does not read, QEMU's serial port fills up and raises no interrupts.
PROBE_S: Final = 15.0
LOADER: Final = re.compile(r"U-Boot|autoboot")
KERNEL: Final = "Starting kernel"
STARTED_ANEW: Final = re.compile(rf"^{KERNEL} \.\.\.\r*$", re.MULTILINE)
LOADER_PROMPT: Final = re.compile(r"(?:^|\n)=> $")
PROMPT: Final = re.compile(r"[#$] (?:\x1b\[[0-9;?]*[a-zA-Z])*$")


class Line(Protocol):
    """A bidirectional byte stream. receive() returns b"" if nothing arrives for a moment."""

    def send(self, data: bytes) -> None:
        """Send all of it."""
        ...

    def receive(self) -> bytes:
        """What has arrived."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


class SocketLine:
    """A serial line over a Unix socket. Raises RigError if nothing listens there."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._socket.connect(str(path))
        except OSError as error:
            raise RigError(PART, f"{path}: {error.strerror}; is the board on?") from None
        self._socket.settimeout(0.2)

    def send(self, data: bytes) -> None:
        """Send all of it."""
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise RigError(PART, f"the line is dead ({error})") from None

    def receive(self) -> bytes:
        """What has arrived."""
        try:
            data = self._socket.recv(65536)
        except TimeoutError:
            return b""
        except OSError as error:
            raise RigError(PART, f"the line is dead ({error})") from None
        if not data:
            raise RigError(PART, "the line is dead: the board is off")
        return data

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


class SerialConsole:
    """opener: opens the line, again after each failure. A root shell, bash or dash, must answer on it."""

    def __init__(self, opener: Callable[[], Line]) -> None:
        self._opener = opener
        self._line: Line | None = None

    def run(self, command: str, timeout_s: float = 30.0) -> Done:
        """Run a line of shell. A marker returns its exit status; the echo of the command does not match the marker."""
        try:
            return self._run(command, timeout_s)
        except RigError:
            self.close()
            raise

    def close(self) -> None:
        """Hang up."""
        if self._line is not None:
            with contextlib.suppress(RigError):
                self._line.close()
            self._line = None

    def _greet(self, line: Line, deadline: float) -> None:
        """Wait for a shell. Sends nothing to a boot loader, and commands only to a prompt."""
        seen, greeted, again = "", 0, time.monotonic() + LISTEN_S
        mark, greeting = _greeting()
        while mark not in seen:
            now = time.monotonic()
            if now > deadline:
                raise RigError(PART, f"no shell answers; the line last said {seen[-200:]!r}")
            if LOADER_PROMPT.search(seen[greeted:]):
                line.send(b"boot\n")
                greeted = len(seen)
            elif PROMPT.search(seen[greeted:]):
                line.send(greeting)
                greeted = len(seen)
            elif now >= again and not (in_loader(seen) or KERNEL in seen):  # a booting board prints first
                again = now + PROBE_S
                line.send(b"\n")
            seen += line.receive().decode("utf-8", "replace").replace("\r", "")

    def _run(self, command: str, timeout_s: float) -> Done:
        deadline = time.monotonic() + timeout_s
        if self._line is None:
            self._line = self._opener()
            self._greet(self._line, deadline)
        mark = secrets.token_hex(6)
        text = f" echo @@{mark}''-; {{ {command}\n }} 2>&1 </dev/null; echo @@{mark}'':$?\n"
        self._line.send(text.encode())
        seen = ""
        while time.monotonic() < deadline:
            seen += self._line.receive().decode("utf-8", "replace")
            found = re.search(rf"@@{mark}-\r*\n(.*?)@@{mark}:(\d+)", seen, re.DOTALL)
            if found is not None:
                return Done(int(found.group(2)), _plain(found.group(1)))
            if STARTED_ANEW.search(seen):
                raise RigError(PART, f"the board restarted before it answered {command!r}")
        raise RigError(PART, f"no answer to {command!r} within {timeout_s:.0f} s; the line last said {seen[-200:]!r}")


def in_loader(seen: str) -> bool:
    """Whether the last output on the line came from U-Boot."""
    said = [found.end() for found in LOADER.finditer(seen)]
    return bool(said) and said[-1] > seen.rfind(KERNEL)


def _greeting() -> tuple[str, bytes]:
    """A setup command and the answer that only a shell gives: it does arithmetic, which U-Boot cannot."""
    mark = secrets.token_hex(6)
    plain = "export SYSTEMD_COLORS=0 SYSTEMD_URLIFY=0"
    setup = f"stty -echo cols 4000; bind 'set enable-bracketed-paste off' 2>/dev/null; {plain}; PS1='# '"
    return f"@@{mark}-42:", f" {setup}; echo @@{mark}-$((6*7)):\n".encode()


def _plain(text: str) -> str:
    """Strip terminal escape sequences, carriage returns and continuation prompts."""
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text).replace("\r", "")
    return "\n".join(line.removeprefix("> ") for line in text.splitlines()).strip()
