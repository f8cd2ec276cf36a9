"""What an environment file asks for: found or not, each with its key and a remedy."""

import socket
from pathlib import Path

import pytest

from hil.bench.resources import of_bench, of_labgrid
from hil.examine import report
from hil.resources import UNCHANGED, resources

ENV = Path(__file__).resolve().parents[2] / "hil/env"
PIS = ("rpi3", "rpi4", "zero2w")


# What the shipped bench files hold, as YAML is parsed; the parser is only in the rig's own environment.
SHIPPED = {
    "targets": {
        "main": {
            "resources": {
                "NetworkPowerPort": {"model": "shelly_gen2", "host": "http://CHANGE-ME", "index": 0},
                "USBPowerPort": {"match": {"ID_PATH": "CHANGE-ME"}, "index": 2},
                "USBSerialPort": {"match": {"ID_SERIAL_SHORT": "CHANGE-ME"}},
                "USBSDMuxDevice": {"match": {"ID_SERIAL_SHORT": "CHANGE-ME"}},
            },
            "drivers": {
                "SerialDriver": {},
                "BenchRigDriver": {
                    "video": "/dev/v4l/by-id/CHANGE-ME",
                    "audio": "plughw:CARD=CHANGE-ME",
                    "card": "/dev/disk/by-id/CHANGE-ME",
                    "nic": "CHANGE-ME",
                    "host": "127.0.0.1",
                },
                "MienStrategy": None,
            },
        }
    }
}


@pytest.mark.parametrize("name", PIS)
def test_a_shipped_bench_file_marks_what_must_be_changed_and_says_to_what(name):
    marked = [line for line in (ENV / f"{name}.yaml").read_text().splitlines()[2:] if UNCHANGED in line]
    assert [line.split(":")[0].strip() for line in marked[1:]] == [
        "USBSerialPort", "USBSDMuxDevice", "video", "audio", "card", "nic"]  # fmt: skip
    assert "PowerPort" in marked[0]
    assert all(line.partition(" # ")[2] for line in marked)


def test_each_value_that_nobody_changed_is_listed_with_its_key():
    found = list(resources(SHIPPED, ENV))
    still = [resource for resource in found if UNCHANGED in resource.wanted]
    assert {resource.key.removeprefix("targets.main.") for resource in still} == {
        "resources.NetworkPowerPort.host",
        "resources.USBPowerPort.match.ID_PATH",
        "resources.USBSerialPort.match.ID_SERIAL_SHORT",
        "resources.USBSDMuxDevice.match.ID_SERIAL_SHORT",
        *(f"drivers.BenchRigDriver.{key}" for key in ("video", "audio", "card", "nic")),
    }
    assert all(resource.found is False and resource.said.startswith("still to be changed: ") for resource in still)
    assert all(resource.key and resource.wanted and resource.said for resource in found)


def test_what_is_missing_is_counted_and_printed_with_its_key(capsys):
    data = {"targets": {"main": {"drivers": {"BenchRigDriver": {"nic": "none0"}}}}, "images": {"card": "no-*.img"}}
    found = list(resources(data, ENV))
    missing = report(found)
    printed = capsys.readouterr().out
    assert missing == sum(resource.found is False for resource in found) > 0
    assert "MISSING  targets.main.drivers.BenchRigDriver.nic = none0\n         no such interface: " in printed
    assert "MISSING  images.card = no-*.img\n         no such image: sudo make image" in printed


def test_devices_that_are_here_are_found(tmp_path):
    key = tmp_path / "id"
    key.touch()
    nic = next(path.name for path in Path("/sys/class/net").iterdir() if path.name != "lo")
    arguments = {"video": "/dev/null", "card": str(key), "nic": nic, "host": "127.0.0.1", "key": str(key)}
    found = {resource.key: resource for resource in of_bench("", arguments)}
    assert [found[name].found for name in (".video", ".nic", ".host", ".key")] == [True] * 4
    assert (found[".card"].found, found[".card"].said.split(":")[0]) == (False, "is no block device")
    assert found[".audio"].found is False


def test_a_card_that_is_in_the_board_is_not_called_missing():
    card = next(resource for resource in of_bench("", {"card": "/dev/disk/by-id/none"}) if resource.key == ".card")
    assert card.found is None


def test_a_power_switch_must_answer():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        here = list(of_labgrid("k", "NetworkPowerPort", {"model": "x", "host": f"http://127.0.0.1:{port}", "index": 0}))
    gone = list(of_labgrid("k", "NetworkPowerPort", {"model": "x", "host": f"http://127.0.0.1:{port}", "index": 0}))
    assert [(resource.key, resource.found) for resource in here + gone] == [("k.host", True), ("k.host", False)]
    assert "the power switch's address" in gone[0].said


def test_a_port_of_this_machine_must_exist():
    assert next(of_labgrid("k", "RawSerialPort", {"port": "/dev/none"})).found is False
    assert next(of_labgrid("k", "RawSerialPort", {"port": "/dev/null"})).found is True
