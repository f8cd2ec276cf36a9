"""What the emulated board's parts do with a boot loader, a fresh image, a screen's cable and a USB sound card."""

import time
from collections import deque
from pathlib import Path

import pytest
from hil.contracts import Done
from hil.errors import RigError
from hil.images import fingerprint
from hil.qemu.console import SerialConsole, in_loader
from hil.qemu.devices import USB_CARD, ScreenCable, UsbSoundCard
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
    def __init__(self, status: int = 0) -> None:
        self.asked: list[str] = []
        self._status = status

    def run(self, command: str, timeout_s: float = 30.0) -> Done:
        self.asked.append(command)
        return Done(self._status, "no such connector")

    def close(self) -> None: ...


def test_the_screens_cable_is_pulled_at_the_connector():
    console = ScriptedConsole()
    cable = ScreenCable(console, lambda: True, 1.0)
    cable.plug()
    assert console.asked == []
    cable.unplug()
    assert not cable.is_in
    cable.plug()
    assert cable.is_in
    assert ["echo off" in console.asked[0], "echo detect" in console.asked[1]] == [True, True]


def test_a_board_that_is_off_starts_with_its_screen():
    console = ScriptedConsole()
    cable = ScreenCable(console, lambda: False, 1.0)
    cable.is_in = False
    cable.plug()
    assert (cable.is_in, console.asked) == (True, [])


def test_a_connector_that_cannot_be_switched_is_said():
    with pytest.raises(RigError, match="no such connector"):
        ScreenCable(ScriptedConsole(1), lambda: True, 1.0).unplug()


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
    with pytest.raises(RigError, match="could not be pulled out"):
        card.unplug()
