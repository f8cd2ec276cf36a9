"""Nothing that identifies a machine or its owner gets into a report."""

import getpass
import socket
from pathlib import Path

import pytest

from mien.bench.board.display import Display
from mien.bench.board.facts import Devices, facts_of
from mien.bench.board.private import found_in, scrubbed, secrets_of, without_secrets
from mien.config import Config
from rigs.boards import ADDRESS, MACHINE_ID, SERIAL, PiRoot, fields, report

V3D = Display(device="V3D 4.2", version="OpenGL ES 3.1 Mesa 22.3.6", width=1280, height=720, vsync=True)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("cannot open /dev/dri/card0: busy", "cannot open (path): busy"),
        ("/home/ada/mien/mien.toml: playback.sink", "(path): playback.sink"),
        ("in '/opt/mien'", "in '(path)'"),
        ("~/.asoundrc is wrong", "(path) is wrong"),
        ("from 192.168.0.7 and fe80::dea6:32ff:fe01:203", "from (address) and (address)"),
        ("2001:db8::1 answered", "(address) answered"),
        ("eth0 has dc:a6:32:01:02:03", "eth0 has (address)"),
        ("lobby-kiosk-7 is busy; ada may not", "(name) is busy; (name) may not"),
    ],
)
def test_what_identifies_is_replaced(text: str, clean: str) -> None:
    assert scrubbed(text, frozenset({"lobby-kiosk-7", "ada"})) == clean


@pytest.mark.parametrize(
    "text",
    [
        "Debian GNU/Linux 12 (bookworm)",
        "llvmpipe (LLVM 15.0.6, 256 bits), OpenGL ES 3.2 Mesa 22.3.6",
        "Raspberry Pi 4 Model B Rev 1.4",
        "6.1.0-25-arm64",
        "default: cannot be opened (No such file or directory [default]); `aplay -L` lists the devices",
        "0 vc4hdmi0: vc4-hdmi-0; 1 Headphones: bcm2835 Headphones",
        "the firmware's get_throttled and/or rpi_volt",
        "93bc11e3ba9fc07ac6b92a4962f73ef277534080 with changes",
        "a canada-made board",
    ],
)
def test_what_a_reader_needs_stays(text: str) -> None:
    assert scrubbed(text, frozenset({"lobby-kiosk-7", "ada"})) == text


def test_a_boards_own_names_and_numbers_are_known(tmp_path: Path) -> None:
    pi = PiRoot(tmp_path)
    assert {"lobby-kiosk-7", SERIAL, MACHINE_ID, ADDRESS} <= secrets_of(pi.root)


def test_a_host_that_is_called_mien_does_not_hide_the_product(tmp_path: Path) -> None:
    pi = PiRoot(tmp_path)
    pi.put("etc/hostname", "mien\n")
    assert "mien" not in secrets_of(pi.root)


def test_the_facts_of_a_board_hold_none_of_them(tmp_path: Path) -> None:
    pi = PiRoot(tmp_path)
    facts = facts_of(Devices(display=V3D, no_display="", no_card=""), Config(), pi.root)
    assert facts.model.value == "Raspberry Pi 4 Model B Rev 1.4"
    assert facts.processor.value == "arm,cortex-a72"
    assert facts.distribution.value == "Debian GNU/Linux 12 (bookworm)"
    assert facts.screen.value == "HDMI-A-1 1280x720"
    assert facts.sound_card.value == "0 vc4hdmi0: vc4-hdmi-0"
    assert facts.gl_renderer.value == "V3D 4.2, OpenGL ES 3.1 Mesa 22.3.6"
    assert found_in(facts, secrets_of(pi.root)) == []


def test_a_drivers_message_loses_them(tmp_path: Path) -> None:
    pi = PiRoot(tmp_path)
    leaky = f"{SERIAL} on lobby-kiosk-7 ({ADDRESS}, {MACHINE_ID}) at 10.0.0.4: /home/ada/x"
    facts = {**fields()["facts"], "screen": {"value": None, "reason": leaky}}
    clean = without_secrets(report(facts=facts, note=f"by {socket.gethostname()}"), secrets_of(pi.root))
    for secret in (SERIAL, MACHINE_ID, ADDRESS, "lobby", "10.0.0.4", "/home", "ada", socket.gethostname()):
        assert secret not in str(clean).replace("Headphones", "")
    assert found_in(clean, secrets_of(pi.root)) == []


def test_this_machines_host_and_user_are_known() -> None:
    known = secrets_of()
    assert socket.gethostname() in known | {"localhost", "mien"}
    assert getpass.getuser() in known | {"root", "mien"}
