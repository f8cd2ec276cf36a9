"""The board as an update sees it: by its files, by `rauc info`, by the root's side behind its socket."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from mien.errors import UpdateError
from mien.link.board_control import SOCKET
from mien.link.update import rauc
from mien.link.update.board import BoardState, Bundle, Inspection, Install

MOST_LINE_BYTES: Final = 65_536
QUICK_S: Final = 30.0
INSTALL_S: Final = 3600.0
BUSY: Final = "lready processing"  # RAUC's word for an installation beside another
_SLOT: Final = re.compile(r"\brauc\.slot=(\S+)")
_COMPATIBLE: Final = re.compile(r"^compatible=(.+)$", re.MULTILINE)
_PERCENT: Final = re.compile(r"\b(\d{1,3})%")


class ControlBoard:
    """Implements `Board`. Reading needs no rights; to install and to start again it asks mien-board-control.

    root: of the file system. control: its socket. An installation is followed in a thread of its own.
    """

    def __init__(self, root: Path = Path("/"), control: Path = SOCKET, run: rauc.Run = rauc.run) -> None:
        self._root, self._control, self._run = root, control, run
        self._install = Install()
        self._lock = threading.Lock()

    def look(self) -> BoardState:
        """The board as it is now. A release is good once mien-health has written it down as good."""
        release = self._text("etc/mien-release")
        told = dict(line.partition("=")[::2] for line in release.splitlines())
        slot = _SLOT.search(self._text("proc/cmdline"))
        with self._lock:
            install = self._install
        return BoardState(
            boot=self._text("proc/sys/kernel/random/boot_id").strip(),
            up_s=time.clock_gettime(time.CLOCK_BOOTTIME),
            slot=slot.group(1) if slot else "",
            version=told.get("VERSION_ID", "").strip('"'),
            build=told.get("BUILD_EPOCH", ""),
            compatible=self._compatible(),
            good=" ".join(release.split("\n")).strip() in self._good(),
            install=install,
        )

    def inspect(self, bundle: Bundle) -> Inspection:
        """By `rauc info`, which needs no rights."""
        options = ("--conf", str(self._root / "etc/rauc/system.conf"))
        return rauc.inspect(bundle.path, self._compatible(), options, self._run)

    def install(self, bundle: Bundle, tag: str) -> None:
        """The file must lie in the folder that mien-board-control takes bundles from."""
        with self._lock:
            if tag == self._install.tag:
                return
            if self._install.state == "running":
                raise UpdateError("another installation still runs")
            answers = self._ask({"verb": "install", "bundle": Path(bundle.path).name}, INSTALL_S)
            self._install = Install(tag=tag, state="running")
        threading.Thread(target=self._follow, args=(answers,), name="install", daemon=True).start()

    def reboot(self) -> None:
        """Of the whole board."""
        for _ in self._ask({"verb": "reboot"}, QUICK_S):
            pass

    def _follow(self, answers: Iterator[dict[str, Any]]) -> None:
        try:
            for answer in answers:
                found = _PERCENT.search(str(answer.get("progress", "")))
                if found:
                    self._become(percent=min(100, int(found.group(1))))
        except UpdateError as error:
            if BUSY in str(error):
                self._become(tag="", state="none")  # RAUC still ends what the link of before began: again, then
            else:
                self._become(state="failed", why=str(error))
        else:
            self._become(state="done", percent=100)

    def _become(self, **changed: Any) -> None:
        with self._lock:
            self._install = replace(self._install, **changed)

    def _ask(self, request: dict[str, str], within_s: float) -> Iterator[dict[str, Any]]:
        """Send a request. Returns its answers, as they come. Raises UpdateError, at once or while they are read."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(within_s)
        try:
            connection.connect(str(self._control))
            connection.sendall(json.dumps(request).encode() + b"\n")
        except OSError as error:
            connection.close()
            raise UpdateError(f"mien-board-control cannot be reached: {error.strerror or error}") from None
        return _answers(connection)

    def _text(self, path: str) -> str:
        try:
            return (self._root / path).read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise UpdateError(f"/{path}: {error.strerror}: not a board with an image of mien") from None

    def _compatible(self) -> str:
        found = _COMPATIBLE.search(self._text("etc/rauc/system.conf"))
        return found.group(1).strip() if found else ""

    def _good(self) -> Sequence[str]:
        """None of them is no error: a card that was just flashed."""
        try:
            return (self._root / "data/lib/rauc/good-releases").read_text(errors="replace").splitlines()
        except OSError:
            return ()


def _answers(connection: socket.socket) -> Iterator[dict[str, Any]]:
    with connection, connection.makefile("rb") as lines:
        while True:
            try:
                line = lines.readline(MOST_LINE_BYTES)
                answer = json.loads(line) if line else None
            except (OSError, ValueError, RecursionError) as error:
                raise UpdateError(f"mien-board-control: {error}") from None
            if not isinstance(answer, dict):
                raise UpdateError("mien-board-control ended without an answer")
            if answer.get("ok") is False:
                raise UpdateError(str(answer.get("why", ""))[:300] or "mien-board-control refused")
            yield answer
            if answer.get("ok") is True:
                return
