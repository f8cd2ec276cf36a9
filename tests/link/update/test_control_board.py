"""The board by its files and by mien-board-control's protocol, which a server of this test speaks."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mien.errors import UpdateError
from mien.fleet.event import Turn
from mien.fleet.status import Health, Status
from mien.link.update.board import Board, Bundle, Install, Kiosk
from mien.link.update.control_board import ControlBoard
from mien.link.update.evidence import Evidence
from mien.link.update.kiosk import LinkKiosk

BUNDLE = Bundle(path="/var/lib/mien-link/updates/ab.raucb")
DONE: list[dict[str, Any]] = [
    {"progress": "  0% Installing"},
    {"progress": " 40% Copying image"},
    {"ok": True},
]


class Control:
    """One request a connection, as mien-board-control answers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.requests: list[dict[str, Any]] = []
        self.answers: list[dict[str, Any]] = DONE
        self.go_on = threading.Event()
        self.go_on.set()
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(path))
        self._server.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as lines:
                self.requests.append(json.loads(lines.readline()))
                for answer in self.answers:
                    lines.write(json.dumps(answer).encode() + b"\n")
                    lines.flush()
                    self.go_on.wait(10)


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    found = Control(tmp_path / "control.sock")
    yield found
    found.close()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    files = {
        "etc/mien-release": "NAME=mien\nVERSION_ID=0.2.0\nBUILD_EPOCH=123\nVARIANT_ID=bookworm\n",
        "etc/rauc/system.conf": "[system]\ncompatible=mien-arm64\nbootloader=uboot\n",
        "proc/cmdline": "console=tty1 rauc.slot=A root=/dev/x",
        "proc/sys/kernel/random/boot_id": "boot-1\n",
        "data/lib/rauc/good-releases": "NAME=mien VERSION_ID=0.1.0 BUILD_EPOCH=9 VARIANT_ID=bookworm\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def eventually(found: Callable[[], object], wanted: object) -> None:
    deadline_s = time.monotonic() + 10
    while found() != wanted and time.monotonic() < deadline_s:
        time.sleep(0.01)
    assert found() == wanted


def test_the_board_by_its_files(root: Path, control: Control) -> None:
    board: Board = ControlBoard(root, control.path)
    state = board.look()
    assert (state.slot, state.version, state.build, state.compatible) == ("A", "0.2.0", "123", "mien-arm64")
    assert (state.boot, state.good, state.install, state.streams) == ("boot-1", False, Install(), False)
    assert state.up_s > 0


def test_a_release_is_good_as_mien_health_writes_it(root: Path, control: Control) -> None:
    with (root / "data/lib/rauc/good-releases").open("a") as file:
        release = (root / "etc/mien-release").read_text().strip().replace("\n", " ")  # as mien-health does
        file.write(release + "\n")
    assert ControlBoard(root, control.path).look().good


def test_a_card_that_was_just_flashed_has_no_list_of_good_releases(root: Path, control: Control) -> None:
    (root / "data/lib/rauc/good-releases").unlink()
    assert not ControlBoard(root, control.path).look().good


def test_an_installation_is_followed(root: Path, control: Control) -> None:
    control.go_on.clear()
    board = ControlBoard(root, control.path)
    board.install(BUNDLE, "7.1")
    board.install(BUNDLE, "7.1")
    assert board.look().install.state == "running"
    with pytest.raises(UpdateError, match="still runs"):
        board.install(BUNDLE, "7.2")
    control.go_on.set()
    eventually(lambda: board.look().install, Install(tag="7.1", state="done", percent=100))
    assert control.requests == [{"verb": "install", "bundle": "ab.raucb"}]


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ([{"progress": "20%"}, {"ok": False, "why": "signature verification failed"}], "signature verification failed"),
        ([{"progress": "20%"}], "mien-board-control ended without an answer"),
        ([{"ok": False}], "mien-board-control refused"),
        (["text"], "mien-board-control ended without an answer"),
    ],
)
def test_an_installation_that_fails(root: Path, control: Control, answers: list[Any], why: str) -> None:
    control.answers = answers
    board = ControlBoard(root, control.path)
    board.install(BUNDLE, "7.1")
    eventually(lambda: (board.look().install.state, board.look().install.why), ("failed", why))
    control.answers = DONE
    board.install(BUNDLE, "7.2")
    eventually(lambda: board.look().install.state, "done")


def test_an_installation_that_outlived_the_link_is_waited_for(root: Path, control: Control) -> None:
    control.answers = [{"ok": False, "why": "LastError: Already processing a different method"}]
    board = ControlBoard(root, control.path)
    board.install(BUNDLE, "7.1")
    eventually(lambda: board.look().install, Install())
    control.answers = DONE
    board.install(BUNDLE, "7.1")
    eventually(lambda: board.look().install.state, "done")


def test_a_start_again(root: Path, control: Control) -> None:
    control.answers = [{"ok": True}]
    ControlBoard(root, control.path).reboot()
    assert control.requests == [{"verb": "reboot"}]
    control.answers = [{"ok": False, "why": "busy"}]
    with pytest.raises(UpdateError, match="busy"):
        ControlBoard(root, control.path).reboot()


def test_a_desk_has_neither(tmp_path: Path) -> None:
    board = ControlBoard(tmp_path, tmp_path / "none.sock")
    with pytest.raises(UpdateError, match="not a board"):
        board.look()
    for ask in (board.reboot, lambda: board.install(BUNDLE, "1")):
        with pytest.raises(UpdateError, match="cannot be reached"):
            ask()


def test_what_proves_that_the_kiosk_works() -> None:
    evidence = Evidence()
    evidence.observe_health(Health(fps=30.0))
    assert not evidence.face_seen  # the voice knows of no face
    evidence.observe_status(Status(online=True, level="full"))
    evidence.observe_health(Health(fps=0.0))
    assert not evidence.face_seen
    evidence.observe_health(Health(fps=30.0))
    turn = {"queue": "q", "seq": 1, "client": "c", "turn": "t", "reason": "completed"}
    evidence.observe_event(Turn(**turn, heard_ms=0.0))  # type: ignore[arg-type]
    assert (evidence.face_seen, evidence.turn_heard) == (True, False)
    evidence.observe_status(Status(online=True, level="silent"))
    evidence.observe_event(Turn(**turn, heard_ms=900.0))  # type: ignore[arg-type]
    assert not evidence.turn_heard  # time goes on without a sound card
    evidence.observe_status(Status(online=True, level="full"))
    evidence.observe_event(Turn(**turn, heard_ms=900.0))  # type: ignore[arg-type]
    assert evidence.turn_heard


def test_the_kiosk_asks_its_loop_once_for_each_change() -> None:
    asked: list[object] = []
    clear = [False]
    kiosk: Kiosk = LinkKiosk(
        Evidence(), lambda do: do(), asked.append, lambda: clear[0], lambda: asked.append("spoken")
    )
    for on in (False, True, True):
        kiosk.drain(on)
    assert (asked, kiosk.drained()) == ([True], False)
    kiosk.rehearse()
    assert asked == [True]  # somebody is there
    clear[0] = True
    assert kiosk.drained()
    kiosk.rehearse()
    kiosk.drain(False)
    assert asked == [True, "spoken", False]
    assert not kiosk.drained()
