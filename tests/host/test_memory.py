import errno
import mmap
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from mien.core.clock import ManualClock
from mien.core.stats import Counters
from mien.host.memory import EVERY_NS, MemoryGauge, private_mb, pss_mb, pss_of_files_mb


def test_memory_that_is_touched_is_counted() -> None:
    before_mb = pss_mb()
    # Pages of its own: what the allocator gives again was counted before.
    ballast = mmap.mmap(-1, 40_000_000, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    ballast[:: mmap.PAGESIZE] = b"x" * -(-len(ballast) // mmap.PAGESIZE)
    # Shared pages count more when another process that shares them ends meanwhile.
    assert 38 < pss_mb() - before_mb < 60
    del ballast


def test_another_process_by_its_id() -> None:
    script = "import sys; ballast = bytearray(b'x') * 60_000_000; print('up', flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert 60 < pss_mb(child.pid) < 90
        assert 60 < private_mb(child.pid) <= pss_mb(child.pid)
        child.communicate()
    with pytest.raises(OSError, match=str(child.pid)):
        pss_mb(child.pid)


def test_a_library_costs_a_part_of_the_whole():
    whole, libc = pss_mb(), pss_of_files_mb(os.getpid(), ("libc.so", "libc-2"))
    assert 0 < libc < whole
    assert pss_of_files_mb(os.getpid(), ("no-such-library",)) == 0


def test_what_cannot_be_read_is_the_last_known_value_and_counted():
    counters, answers = Counters(), iter([OSError(errno.EMFILE, "Too many open files"), 31.5, ValueError("?"), 40.0])

    def measure():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    clock = ManualClock()
    gauge = MemoryGauge(clock, counters, measure)
    told = []
    for _ in range(4):
        told.append(gauge.mb())
        clock.advance_ns(EVERY_NS)
    assert told == [0.0, 31.5, 31.5, 40.0]
    assert counters["memory_unread"] == 2


def test_memory_is_measured_once_in_a_while_however_often_it_is_asked_for():
    answers = iter([10.0, 20.0])
    clock = ManualClock(5)
    gauge = MemoryGauge(clock, Counters(), lambda: next(answers))
    assert [gauge.mb(), gauge.mb()] == [10.0, 10.0]
    clock.advance_ns(EVERY_NS - 1)
    assert gauge.mb() == 10.0
    clock.advance_ns(1)
    assert gauge.mb() == 20.0


def test_a_process_without_descriptors_goes_on():
    counters, clock = Counters(), ManualClock()
    gauge = MemoryGauge(clock, counters)
    known_mb = gauge.mb()
    clock.advance_ns(EVERY_NS)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))  # nothing can be opened any more
    try:
        again_mb = gauge.mb()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert (again_mb, counters["memory_unread"]) == (known_mb, 1)
    assert known_mb > 5


ROLLUP = """\
00400000-7ffd00000000 ---p 00000000 00:00 0 [rollup]
Rss:               90000 kB
Pss:               31000 kB
Pss_Anon:           9000 kB
Private_Clean:      2000 kB
Private_Dirty:      7000 kB
"""
SMAPS = """\
7f0000000000-7f0000001000 r-xp 00000000 08:01 1 /usr/lib/libc.so.6
Pss:                 100 kB
7f0000002000-7f0000003000 r-xp 00000000 08:01 1 /usr/lib/libm.so.6
Pss:                1000 kB
ffff00002000-ffff00003000 r--p 00000000 08:01 1 /usr/lib/libc.so.6
Pss:                 150 kB
"""


def read_as(monkeypatch, text):
    """Every file reads like this; returns the paths that were asked for."""
    asked = []
    monkeypatch.setattr(type(Path()), "read_text", lambda path: asked.append(str(path)) or text)
    return asked


def test_kilobytes_of_the_kernel_become_megabytes(monkeypatch):
    asked = read_as(monkeypatch, ROLLUP)
    assert pss_mb() == 31_000 * 1024 / 1_000_000
    assert private_mb(7) == pytest.approx(9_000 * 1024 / 1_000_000)
    assert asked == ["/proc/self/smaps_rollup", "/proc/7/smaps_rollup", "/proc/7/smaps_rollup"]


def test_only_the_named_files_count(monkeypatch):
    asked = read_as(monkeypatch, SMAPS)
    assert pss_of_files_mb(7, ("libc",)) == 250 * 1024 / 1_000_000
    assert pss_of_files_mb(7, ("libc", "libm")) == 1_250 * 1024 / 1_000_000
    assert asked == ["/proc/7/smaps"] * 2


def test_a_kernel_that_says_nothing_of_it_is_an_error(monkeypatch):
    read_as(monkeypatch, "Rss: 1 kB\n")
    with pytest.raises(OSError, match="has no Pss line"):
        pss_mb()


def test_memory_is_measured_every_ten_seconds_at_most():
    assert EVERY_NS == 10 * 10**9
