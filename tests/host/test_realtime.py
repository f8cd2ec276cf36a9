"""The real-time turn: taken where it is allowed, kept from other threads, and lost by a loop that does not sleep."""

import os
import resource
import subprocess
import sys

import pytest

from mien.host.realtime import PRIORITY, use_realtime_priority

REPORT = "print(os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK, os.sched_getparam(0).sched_priority, flush=True)\n"
TAKE = f"""import os, resource, threading
from mien.host.realtime import PRIORITY, use_realtime_priority
resource.getrlimit = lambda limit: (PRIORITY, PRIORITY)  # as under the unit's LimitRTPRIO
print(use_realtime_priority(), flush=True)
{REPORT}"""


def lines_of(program: str, rt_time_us: int = resource.RLIM_INFINITY) -> list[str]:
    """What a program of its own prints, with LimitRTTIME as given."""
    found = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_RTTIME, (rt_time_us, resource.RLIM_INFINITY)),
    )
    return found.stdout.splitlines()


@pytest.fixture(scope="module")
def allowed() -> None:
    if lines_of(TAKE)[0] != "True":
        pytest.skip("this machine allows no real-time priority here")


def refuse(*_: object) -> None:
    raise PermissionError


def test_without_a_limit_that_allows_it_nobody_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (0, 0))
    assert not use_realtime_priority()
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_a_sandbox_that_refuses_it_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (PRIORITY, PRIORITY))
    monkeypatch.setattr(os, "sched_setscheduler", refuse)
    assert not use_realtime_priority()


@pytest.mark.usefixtures("allowed")
def test_it_is_taken_for_the_calling_thread_alone() -> None:
    program = f"{TAKE}thread = threading.Thread(target=lambda: exec({REPORT!r}))\nthread.start()\nthread.join()\n"
    assert lines_of(program) == ["True", f"{os.SCHED_RR} {PRIORITY}", f"{os.SCHED_OTHER} 0"]


@pytest.mark.usefixtures("allowed")
def test_a_loop_that_never_sleeps_loses_it_and_goes_on() -> None:
    program = f"{TAKE}while os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK: pass\n{REPORT}"
    assert lines_of(program, rt_time_us=50_000) == ["True", f"{os.SCHED_RR} {PRIORITY}", f"{os.SCHED_OTHER} 0"]


def test_the_priority_is_above_ordinary_threads_and_below_the_kernels() -> None:
    assert PRIORITY == 10
