import errno
import mmap
import os
import resource
import subprocess
import sys

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
