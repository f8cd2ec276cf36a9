"""Processor, memory and the stated load, on real processes."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from mien.bench.board.busy import busy_processes
from mien.bench.board.resources import UseMeter, cpu_seconds, rss_mb


def wait_for(condition, seconds: float = 20) -> bool:  # type: ignore[no-untyped-def]
    until_s = time.monotonic() + seconds
    while not condition() and time.monotonic() < until_s:
        time.sleep(0.05)
    return bool(condition())


def test_a_busy_process_costs_and_a_sleeping_one_does_not() -> None:
    sleeping = subprocess.Popen(["sleep", "60"])
    try:
        with busy_processes(1) as (busy,):
            assert wait_for(lambda: (cpu_seconds(busy) or 0) > 0.2)
            meters = [UseMeter(busy), UseMeter(sleeping.pid)]
            before_s = cpu_seconds(busy)
            assert before_s is not None
            assert wait_for(lambda: (cpu_seconds(busy) or 0) > before_s + 0.3)
            hot, idle = (meter.use() for meter in meters)
    finally:
        sleeping.kill()
        sleeping.wait()
    assert hot.cpu_percent.value is not None
    assert 1 < hot.cpu_percent.value <= 110
    assert idle.cpu_percent.value == 0
    assert hot.rss_mb.value is not None
    assert hot.pss_mb.value is not None
    assert 0 < hot.pss_mb.value <= hot.rss_mb.value + 1


def test_a_process_that_ended_has_reasons() -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    use = UseMeter(ended.pid).use()
    for figure in (use.cpu_percent, use.pss_mb, use.rss_mb):
        assert figure.value is None
        assert "ended" in figure.reason
    assert rss_mb(ended.pid) is None


def test_the_load_is_as_many_processes_as_stated_and_ends_with_its_block() -> None:
    with contextlib.suppress(KeyboardInterrupt), busy_processes(3) as running:
        assert len(running) == 3
        assert all(Path("/proc", str(pid)).exists() for pid in running)
        raise KeyboardInterrupt
    assert not any(Path("/proc", str(pid)).exists() for pid in running)


def test_the_load_ends_with_whoever_started_it() -> None:
    program = (
        "import time\nfrom mien.bench.board.busy import busy_processes\n"
        "with busy_processes(1) as (pid,):\n    print(pid, flush=True)\n    time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert wait_for(lambda: (cpu_seconds(child) or 0) > 0.2)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    try:
        assert wait_for(lambda: not Path("/proc", str(child)).exists() or _is_zombie(child))
    finally:
        if Path("/proc", str(child)).exists():
            os.kill(child, signal.SIGKILL)


def _is_zombie(pid: int) -> bool:
    try:
        return Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True
