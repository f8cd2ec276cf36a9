"""The machine's vital signs, from files like the kernel's."""

from pathlib import Path

import pytest

from mien.host import vitals

WIRELESS = """Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
 face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
 wlan0: 0000   54.  -56.  -256        0      0      0      0      0        0
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "proc/net").mkdir(parents=True)
    return tmp_path


def test_they_are_read(root: Path) -> None:
    (root / "proc/uptime").write_text("3600.25 7000.00\n")
    (root / "proc/loadavg").write_text("0.52 0.40 0.30 1/200 4242\n")
    (root / "proc/meminfo").write_text("MemTotal:  1000000 kB\nMemAvailable:     500000 kB\n")
    (root / "proc/net/wireless").write_text(WIRELESS)
    assert vitals.uptime_s(root) == 3600.25
    assert vitals.load(root) == 0.52
    assert vitals.memory_free_mb(root) == 512.0
    assert vitals.signal_dbm(root) == -56.0


def test_what_is_not_there_is_none(root: Path) -> None:
    (root / "proc/loadavg").write_text("\xff\x00")
    assert vitals.uptime_s(root) is None
    assert vitals.load(root) is None
    assert vitals.memory_free_mb(root) is None
    assert vitals.signal_dbm(root) is None
    assert vitals.disk(root / "absent") is None


def test_a_disk_has_room_and_a_part_that_is_used(root: Path) -> None:
    found = vitals.disk(root)
    assert found is not None
    assert found.free_mb > 0
    assert 0 <= found.used <= 1
