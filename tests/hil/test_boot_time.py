"""The boot in guest time: figures from what a board tells, and two images side by side."""

import pytest

from hil.qemu.boot_time import figures, table


def told(*failed, root=4.0):
    unit = {"CPUUsageNSec": 1_500_000_000, "MemoryCurrent": 40_000_000}
    units = {"mien-voice.service": unit, "mien-face.service": unit, "dbus.service": {"CPUUsageNSec": 10**8}}
    return [
        {"kind": "marks", "init": 1.5} | ({"root": root} if root else {}),
        {"kind": "units", "units": units},
        {"kind": "failed", "units": list(failed)},
        {"kind": "memory", "MemTotal": "1000000", "MemAvailable": "750000"},
        {"kind": "versions", "kernel": "6.12", "python": "Python 3.13.5", "packages": {"rauc": "1.13-3"}},
        {"kind": "end"},
    ]


def test_figures_are_differences_between_what_the_board_told():
    found = figures(told())
    assert found["kernel"] == "6.12"
    assert found["Python"] == "3.13.5"
    assert found["rauc"] == "1.13-3"
    assert found["kernel to /init [s]"] == 1.5
    assert found["/init to the root mounted [s]"] == 2.5
    assert found["mien-voice: processor [s]"] == 1.5
    assert found["mien-face: memory [MB]"] == 40.0
    assert found["dbus: processor [s]"] == 0.1
    assert found["processor of all services [s]"] == pytest.approx(3.1)
    assert found["memory in use [MB]"] == 256.0
    assert found["failed units"] == "none"


def test_a_unit_that_failed_is_named_with_its_journal(capsys):
    records = told("nbd.service loaded failed failed Something")
    records.append({"kind": "journal", "lines": ["no such device"]})
    assert figures(records)["failed units"] == "nbd.service"
    assert capsys.readouterr().err == "no such device\n"


def test_what_the_kernel_did_not_log_is_left_empty():
    found = figures(told(root=None))
    assert found["/init to the root mounted [s]"] is None
    assert "| /init to the root mounted [s] |  |" in table([found])


def test_images_are_shown_side_by_side():
    rows = table([{"image": "a", "x [s]": 1.234}, {"image": "b", "x [s]": 2, "only b": "y"}]).splitlines()
    assert rows == ["| image | a | b |", "| x [s] | 1.23 | 2 |", "| only b |  | y |"]
