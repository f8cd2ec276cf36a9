"""The board checks of mien doctor on a simulated board: its /sys, /proc, /run, /dev and /etc in a directory."""

import os
from pathlib import Path

import pytest

from mien.cli.board_checks import BOARD_CHECKS
from mien.cli.checks import Finding


class Board:
    """A healthy Pi 4; each test breaks one thing."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.put("proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0")
        self.put("sys/class/drm/card1-HDMI-A-1/status", "connected\n")
        self.put("sys/class/drm/card1-HDMI-A-1/modes", "1280x720\n720x480\n")
        self.put("sys/class/drm/card1-HDMI-A-2/status", "disconnected\n")
        self.put("proc/asound/cards", " 0 [vc4hdmi0       ]: vc4-hdmi - vc4-hdmi-0\n                      vc4-hdmi-0\n")
        self.put("sys/class/thermal/thermal_zone0/temp", "48312\n")
        self.put("sys/devices/platform/soc/soc:firmware/get_throttled", "0\n")
        self.put("run/systemd/timesync/synchronized", "")
        group = os.getgid()
        self.put("etc/passwd", "root:x:0:0::/:/bin/sh\nmien-face:x:993:993::/:/n\nmien-voice:x:994:994::/:/n\n")
        self.put("etc/group", f"root:x:0:\nvideo:x:{group}:mien-face\naudio:x:{group}:mien-voice\n")
        for name in ("dev/dri/card1", "dev/snd/pcmC0D0p"):
            self.put(name, "").chmod(0o660)

    def put(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def find(self) -> dict[str, Finding]:
        return {finding.name: finding for finding in (check(self.root) for check in BOARD_CHECKS)}


@pytest.fixture
def board(tmp_path: Path) -> Board:
    return Board(tmp_path)


def test_a_healthy_board_has_nothing_to_mend(board: Board) -> None:
    found = board.find()
    assert {finding.verdict for finding in found.values()} == {"good"}
    assert found["board"].detail == "Raspberry Pi 4 Model B Rev 1.4"
    assert found["screen"].detail == "HDMI-A-1 1280x720"
    assert found["sound cards"].detail == "0 vc4hdmi0: vc4-hdmi-0"
    assert found["heat"].detail == "48 degrees Celsius"


@pytest.mark.parametrize(
    ("register", "verdict", "detail"),
    [
        ("50000", "poor", "under-voltage since boot, throttled since boot"),
        ("50005", "bad", "under-voltage now, throttled now"),
        ("80008", "bad", "soft temperature limit now"),
    ],
)
def test_the_throttling_register_is_read_bit_by_bit(board: Board, register: str, verdict: str, detail: str) -> None:
    board.put("sys/devices/platform/soc/soc:firmware/get_throttled", register + "\n")
    found = board.find()["power"]
    assert (found.verdict, found.detail) == (verdict, f"{detail} (get_throttled)")
    assert ("power supply" in found.remedy) is ("under-voltage" in detail)


def test_vcgencmd_is_asked_where_the_kernel_does_not_say(board: Board) -> None:
    (board.root / "sys/devices/platform/soc/soc:firmware/get_throttled").unlink()
    board.put("usr/bin/vcgencmd", "#!/bin/sh\necho throttled=0x1\n").chmod(0o755)
    assert board.find()["power"].detail == "under-voltage now (vcgencmd)"


def test_debians_kernel_only_has_the_alarm(board: Board) -> None:
    (board.root / "sys/devices/platform/soc/soc:firmware/get_throttled").unlink()
    board.put("sys/class/hwmon/hwmon0/name", "cpu_thermal\n")
    board.put("sys/class/hwmon/hwmon1/name", "rpi_volt\n")
    board.put("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")
    found = board.find()["power"]
    assert (found.verdict, found.detail) == ("poor", "under-voltage since boot (rpi_volt)")


@pytest.mark.parametrize(("milli", "verdict"), [("69999", "good"), ("71000", "poor"), ("83500", "bad")])
def test_heat(board: Board, milli: str, verdict: str) -> None:
    board.put("sys/class/thermal/thermal_zone0/temp", milli)
    assert board.find()["heat"].verdict == verdict


def test_a_screen_that_is_not_plugged_in(board: Board) -> None:
    board.put("sys/class/drm/card1-HDMI-A-1/status", "disconnected\n")
    found = board.find()["screen"]
    assert found.verdict == "bad"
    assert "HDMI-A-1, HDMI-A-2" in found.detail
    assert "plug the screen in" in found.remedy


def test_no_sound_card(board: Board) -> None:
    board.put("proc/asound/cards", "--- no soundcards ---\n")
    assert "no sound card" in board.find()["sound cards"].detail


def test_an_account_outside_the_group_is_told_the_command(board: Board) -> None:
    board.put("etc/group", "root:x:0:\nvideo:x:4444:\naudio:x:4445:\n")
    found = board.find()["permissions"]
    assert (found.verdict, found.detail) == ("bad", "mien-face may not use /dev/dri/card1")
    assert found.remedy.startswith("usermod -aG video mien-face")


def test_a_clock_that_nobody_set(board: Board) -> None:
    (board.root / "run/systemd/timesync/synchronized").unlink()
    found = board.find()["time"]
    assert found.verdict == "poor"
    assert "board.toml" in found.remedy


def test_a_machine_that_is_no_board_is_not_blamed(tmp_path: Path) -> None:
    found = {finding.name: finding.verdict for finding in (check(tmp_path) for check in BOARD_CHECKS)}
    assert "bad" not in found.values()
    assert found["power"] == found["heat"] == found["time"] == found["permissions"] == "good"
