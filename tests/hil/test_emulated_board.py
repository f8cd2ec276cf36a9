"""What the emulated board's parts do with a boot loader, a fresh image, a screen's cable and a USB sound card."""

import socket
import struct
import threading
import time
from collections import deque
from pathlib import Path

import pytest

from hil.contracts import Done
from hil.errors import RigError
from hil.images import fingerprint
from hil.qemu.console import SerialConsole, in_loader
from hil.qemu.devices import USB_CARD, ScreenCable, UsbSoundCard
from hil.qemu.power import QemuPower
from hil.qemu.viewer import SET_DESKTOP_SIZE, VERSION, resize
from hil.stages import Stages, State
from rigs.fake_rig import fake_rig

BANNER = "U-Boot 2023.01\r\nHit any key to stop autoboot:  2 "
KERNEL = "\r\nStarting kernel ...\r\n"
PROMPT = "\x1b[?2004hroot@rig:~# "


class ScriptedLine:
    """Says what it is told to, one piece at each look; answers greetings once it has shown a prompt."""

    def __init__(self, *pieces: str) -> None:
        self._pieces = deque(pieces)
        self._said = ""
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)
        text = data.decode()
        if self._said.endswith("# ") and "@@" in text:
            mark = text.split("@@", 1)[1]
            self._pieces.append(
                mark.split("-", 1)[0].join(("@@", "-42:\r\n# "))
                if "$((" in text
                else f"@@{mark.split(chr(39))[0]}-\r\n@@{mark.split(chr(39))[0]}:0\r\n# "
            )
        if text == "boot\n":
            self._pieces.extend([KERNEL, PROMPT])

    def receive(self) -> bytes:
        time.sleep(0.001)
        piece = self._pieces.popleft() if self._pieces else ""
        self._said = self._said + piece
        return piece.encode()

    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    monkeypatch.setattr("hil.qemu.console.LISTEN_S", 0.01)


def test_nothing_is_typed_while_a_board_boots():
    line = ScriptedLine(BANNER, *[""] * 50, KERNEL, *[""] * 50, PROMPT)
    assert SerialConsole(lambda: line).run("true", 5).status == 0
    assert "stty" in line.sent[0].decode()
    assert len(line.sent) == 2


def test_a_boot_loader_that_was_stopped_is_told_to_go_on():
    line = ScriptedLine(BANNER, "\r\n=> ")
    assert SerialConsole(lambda: line).run("true", 5).status == 0
    assert line.sent[0] == b"boot\n"


class DyingLine(ScriptedLine):
    """Its shell takes one more command, and is gone."""

    def send(self, data: bytes) -> None:
        if "cat boot_id" in data.decode():
            self._pieces.extend([BANNER, KERNEL])
        else:
            super().send(data)


def test_a_command_to_a_board_that_was_going_down_is_given_up_at_its_next_start():
    line = DyingLine(PROMPT)
    with pytest.raises(RigError, match="restarted before"):
        SerialConsole(lambda: line).run("cat boot_id", 5)


def test_a_silent_line_is_asked_with_one_byte_and_seldom():
    line = ScriptedLine()
    with pytest.raises(RigError, match="no shell answers"):
        SerialConsole(lambda: line).run("true", 0.3)
    assert line.sent == [b"\n"]


@pytest.mark.parametrize(("said", "loader"), [("", False), (BANNER, True), (BANNER + KERNEL, False),
                                              (BANNER + KERNEL + BANNER, True)])  # fmt: skip
def test_who_spoke_last(said, loader):
    assert in_loader(said) is loader


def test_a_file_that_changed_is_another_image(tmp_path):
    image, notes = tmp_path / "image", tmp_path / "notes.json"
    image.write_bytes(b"one")
    first = fingerprint(image, notes)
    assert fingerprint(image, notes) == first
    image.write_bytes(b"three")
    assert fingerprint(image, notes) != first


def test_a_card_with_another_image_is_written_anew():
    board, rig = fake_rig()
    Stages(rig, Path("image"), "f" * 64).to(State.READY)
    board.calls.clear()
    Stages(rig, Path("image"), "f" * 64).to(State.READY)
    assert "flash" not in board.calls
    board.flashed = "0" * 64
    Stages(rig, Path("image"), "f" * 64).to(State.READY)
    assert "flash" in board.calls


class ScriptedConsole:
    def __init__(self) -> None:
        self.asked: list[str] = []
        self.status = 0

    def run(self, command: str, timeout_s: float = 30.0) -> Done:
        self.asked.append(command)
        return Done(self.status, "no such connector")

    def close(self) -> None: ...


@pytest.fixture
def console():
    return ScriptedConsole()


@pytest.fixture
def cable(console):
    """A screen's cable, what the screen was told, and a switch."""
    sizes: list[tuple[int, int]] = []
    switch = [True]
    return ScreenCable(lambda *size: sizes.append(size), console, lambda: switch[0], (128, 224), 1.0), sizes, switch


def test_the_kernel_of_a_board_that_runs_is_told_to_look_at_its_connector(cable, console):
    plug, _, switch = cable
    plug.unplug()
    plug.plug()
    assert len(console.asked) == 2
    switch[0] = False
    plug.unplug()
    plug.plug()
    assert len(console.asked) == 2
    switch[0], console.status = True, 1
    with pytest.raises(RigError, match="no such connector"):
        plug.unplug()


def test_a_screen_whose_cable_is_pulled_has_no_size(cable):
    plug, sizes, _ = cable
    plug.plug()
    plug.started()
    assert sizes == []
    plug.unplug()
    assert (plug.is_in, sizes[-1]) == (False, (0, 0))
    plug.plug()
    assert (plug.is_in, sizes[-1]) == (True, (128, 224))


def test_a_board_whose_cable_was_pulled_while_it_was_off_starts_without_a_screen(cable):
    plug, sizes, switch = cable
    switch[0] = False
    plug.unplug()
    assert sizes == []
    switch[0] = True
    plug.started()
    assert sizes[-1] == (0, 0)


def test_a_cable_that_is_put_in_while_the_board_is_off_is_in(cable):
    plug, sizes, switch = cable
    switch[0] = False
    plug.unplug()
    plug.plug()
    switch[0] = True
    plug.started()
    assert (plug.is_in, sizes) == (True, [])


class VncServer:
    """QEMU's, as far as a viewer that gives the screen a size sees it."""

    def __init__(self, path: Path, *, kinds: bytes = b"\x01") -> None:
        self.sizes: list[tuple[int, int]] = []
        self._kinds = kinds
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        line, _ = self._socket.accept()
        with line, line.makefile("rwb", buffering=0) as file:
            file.write(VERSION)
            assert file.read(len(VERSION)) == VERSION
            file.write(bytes((len(self._kinds),)) + self._kinds)
            if file.read(1) != b"\x01":
                return
            file.write(bytes(4))
            file.read(1)
            file.write(struct.pack(">HH16xI", 640, 480, 4) + b"QEMU")
            kind, width, height, _ = struct.unpack(">BxHHBx", file.read(8))
            assert kind == SET_DESKTOP_SIZE
            self.sizes.append((width, height))
            assert file.read(10)[0] == 3
            file.write(b"\x00")


def test_a_viewer_gives_the_screen_a_size(tmp_path):
    server = VncServer(tmp_path / "vnc.sock")
    resize(tmp_path / "vnc.sock", 128, 224)
    assert server.sizes == [(128, 224)]


def test_a_screen_that_asks_for_a_password_or_is_not_there_is_said(tmp_path):
    VncServer(tmp_path / "vnc.sock", kinds=b"\x02")
    with pytest.raises(RigError, match="password"):
        resize(tmp_path / "vnc.sock", 0, 0)
    with pytest.raises(RigError, match="is the board on"):
        resize(tmp_path / "none.sock", 0, 0)


class UsbQmp:
    def __init__(self, *, stuck: bool = False) -> None:
        self.devices: set[str] = set()
        self._stuck = stuck

    def run(self, command: str, **arguments: str) -> None:
        if command == "device_add":
            self.devices.add(arguments["id"])
        elif not self._stuck:
            self.devices.discard(arguments["id"])

    def monitor(self, line: str) -> str:
        assert line == "info usb"
        return "".join(
            f"  Device 0.1, Port 1, Speed 12 Mb/s, Product QEMU USB Audio, ID: {one}\n" for one in self.devices
        )


def test_a_usb_card_goes_in_and_out():
    qmp = UsbQmp()
    card = UsbSoundCard(lambda: qmp, 0.1)
    card.unplug()
    card.plug()
    card.plug()
    assert (card.is_in(), qmp.devices) == (True, {USB_CARD})
    card.unplug()
    assert not card.is_in()


def test_a_usb_card_that_stays_in_is_said():
    qmp = UsbQmp(stuck=True)
    card = UsbSoundCard(lambda: qmp, 0.1)
    card.plug()
    with pytest.raises(RigError, match="could not be unplugged"):
        card.unplug()


def test_a_board_with_a_microphone_has_a_second_card_and_one_in_guest_time_does_not(monkeypatch):
    monkeypatch.setattr("hil.qemu.power.emulator", lambda: ("qemu",))
    plain = QemuPower(Path("/work"), Path("/card"), icount=True).command()
    heard = QemuPower(Path("/work"), Path("/card"), icount=False, alsa=Path("/asound.conf")).command()
    assert not [word for word in plain if "microphone" in word]
    assert "hda-micro,bus=hda-microphone.0,audiodev=microphone" in heard
    # The speaker's card comes first: it is hw:0 in the guest.
    assert heard.index("intel-hda") < heard.index("intel-hda,id=hda-microphone")
