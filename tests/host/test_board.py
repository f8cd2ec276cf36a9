"""What the board says of itself, read from a made-up root."""

import os
import stat
from pathlib import Path

import pytest

from mien.host import board
from mien.host.board import Power, Screen


@pytest.fixture(autouse=True)
def _backwards(monkeypatch):
    """Folders are listed in no order; here in the wrong one."""
    glob = Path.glob
    monkeypatch.setattr(Path, "glob", lambda folder, pattern: iter(sorted(glob(folder, pattern), reverse=True)))


def put(root, path, text=""):
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    return place


def test_a_root_without_anything_says_nothing(tmp_path):
    assert board.board_model(tmp_path) == ""
    assert board.screens(tmp_path) == []
    assert board.graphics_cards(tmp_path) == board.sound_devices(tmp_path) == []
    assert board.sound_cards(tmp_path) == []
    assert board.power(tmp_path) is None
    assert board.hottest_c(tmp_path) is None
    assert board.clock_was_set(tmp_path) is None
    assert not board.has_account("mien", tmp_path)


def test_the_model_is_the_device_tree_s(tmp_path):
    put(tmp_path, "proc/device-tree/model", "Raspberry Pi 4 Model B Rev 1.4\0")
    assert board.board_model(tmp_path) == "Raspberry Pi 4 Model B Rev 1.4"


def test_every_connector_is_told_with_its_first_mode(tmp_path):
    put(tmp_path, "sys/class/drm/card1-HDMI-A-2/status", "disconnected\n")
    put(tmp_path, "sys/class/drm/card1-HDMI-A-1/status", "connected\n")
    put(tmp_path, "sys/class/drm/card1-HDMI-A-1/modes", "1920x1080\n1280x720\n")
    put(tmp_path, "sys/class/drm/card1/status", "connected\n")
    put(tmp_path, "sys/class/drm/version", "x")
    assert board.screens(tmp_path) == [Screen("HDMI-A-1", True, "1920x1080"), Screen("HDMI-A-2", False, "")]


def test_cards_and_devices_are_told_in_order(tmp_path):
    for name in ("card1", "card0", "renderD128"):
        put(tmp_path, f"dev/dri/{name}")
    for name in ("pcmC1D0p", "pcmC0D0p", "pcmC0D0c", "controlC0"):
        put(tmp_path, f"dev/snd/{name}")
    assert [path.name for path in board.graphics_cards(tmp_path)] == ["card0", "card1"]
    assert [path.name for path in board.sound_devices(tmp_path)] == ["pcmC0D0p", "pcmC1D0p"]


def test_sound_cards_are_those_of_alsa(tmp_path):
    put(
        tmp_path,
        "proc/asound/cards",
        " 0 [vc4hdmi        ]: vc4-hdmi - vc4-hdmi-0\n                      vc4-hdmi-0\n"
        "10 [Device         ]: USB-Audio - USB Audio Device\n                      Maker USB at usb-1\n",
    )
    assert board.sound_cards(tmp_path) == ["0 vc4hdmi: vc4-hdmi-0", "10 Device: USB Audio Device"]


REGISTER = "sys/devices/platform/soc/soc:firmware/get_throttled"


@pytest.mark.parametrize(
    ("register", "now", "since"),
    [
        ("0", (), ()),
        ("", (), ()),
        ("1", ("under-voltage",), ()),
        ("e", ("frequency capped", "throttled", "soft temperature limit"), ()),
        ("50005", ("under-voltage", "throttled"), ("under-voltage", "throttled")),
        ("80000", (), ("soft temperature limit",)),
        ("ff0f0", (), ("under-voltage", "frequency capped", "throttled", "soft temperature limit")),
    ],
)
def test_each_bit_of_the_register_is_a_word_for_now_and_for_since_the_boot(tmp_path, register, now, since):
    put(tmp_path, REGISTER, register)
    assert board.power(tmp_path) == Power(now, since, "get_throttled")


def program(root, says):
    path = put(root, "usr/bin/vcgencmd", f"#!/bin/sh\n[ $1 = get_throttled ] && echo '{says}'\n")
    path.chmod(0o755)
    return path


def test_without_the_register_the_vendors_program_is_asked_if_it_may(tmp_path):
    program(tmp_path, "throttled=0x50000")
    assert board.power(tmp_path) == Power((), ("under-voltage", "throttled"), "vcgencmd")
    assert board.power(tmp_path, vcgencmd=False) is None
    put(tmp_path, REGISTER, "1")
    assert board.power(tmp_path).source == "get_throttled"


@pytest.mark.parametrize(("says", "mode"), [("error", 0o755), ("throttled=0x1", 0o644)])
def test_a_program_that_says_nothing_or_may_not_run_is_passed_over(tmp_path, says, mode):
    program(tmp_path, says).chmod(mode)
    put(tmp_path, "sys/class/hwmon/hwmon0/name", "cpu_thermal\n")
    put(tmp_path, "sys/class/hwmon/hwmon1/name", "rpi_volt\n")
    alarm = put(tmp_path, "sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n")
    assert board.power(tmp_path) == Power((), ("under-voltage",), "rpi_volt")
    alarm.write_text("0\n")
    assert board.power(tmp_path) == Power((), (), "rpi_volt")


def test_the_hottest_zone_counts_in_degrees(tmp_path):
    for number, text in enumerate(("45678\n", "-5000\n", "61300\n", "no\n")):
        put(tmp_path, f"sys/class/thermal/thermal_zone{number}/temp", text)
    put(tmp_path, "sys/class/thermal/cooling_device0/temp", "99000")
    assert board.hottest_c(tmp_path) == 61.3


def test_the_clock_was_set_once_timesyncd_says_so(tmp_path):
    (tmp_path / "run/systemd/timesync").mkdir(parents=True)
    assert board.clock_was_set(tmp_path) is False
    put(tmp_path, "run/systemd/timesync/synchronized")
    assert board.clock_was_set(tmp_path) is True


@pytest.fixture
def accounts(tmp_path):
    """mien (uid 990, group 991, member of video), and pi, a member of nothing."""
    put(
        tmp_path,
        "etc/passwd",
        "root:x:0:0::/root:/bin/sh\nmien:x:990:991::/:/bin/false\npi:x:1000:1000::/:/bin/sh\n\nbad\n",
    )
    put(tmp_path, "etc/group", "video:x:44:games,mien\naudio:x:29:mienx\nmien:x:991:\n")
    return tmp_path


def test_accounts_are_those_of_the_root(accounts):
    assert [board.has_account(name, accounts) for name in ("mien", "pi", "mie", "bad")] == [True, True, False, False]


@pytest.mark.parametrize(
    ("owner", "group", "mode", "user", "may"),
    [
        (0, 0, 0o000, "root", True),
        (990, 0, 0o600, "mien", True),
        (990, 0, 0o400, "mien", False),
        (990, 0, 0o200, "mien", False),
        (990, 44, 0o066, "mien", False),  # the owner's rights count alone
        (0, 44, 0o660, "mien", True),
        (0, 991, 0o660, "mien", True),
        (0, 29, 0o660, "mien", False),
        (0, 44, 0o640, "mien", False),
        (0, 44, 0o606, "mien", False),  # the group's rights count alone
        (0, 44, 0o660, "pi", False),
        (0, 44, 0o666, "pi", True),
        (0, 44, 0o664, "pi", False),
        (0, 44, 0o660, "nobody", False),
        (0, 44, 0o666, "nobody", True),
    ],
)
def test_who_may_use_a_file(accounts, monkeypatch, owner, group, mode, user, may):
    path = put(accounts, "dev/card0")
    real = path.stat()
    found = os.stat_result((stat.S_IFREG | mode, *real[1:4], owner, group, *real[6:]))
    monkeypatch.setattr(type(path), "stat", lambda *_, **__: found)
    assert board.may_use(user, path, accounts) is may
