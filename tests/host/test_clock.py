import time

import pytest

from mien.core.clock import Clock
from mien.host.clock import MonotonicClock, sleep_until_ns


def test_it_is_the_monotonic_clock_of_the_machine() -> None:
    clock: Clock = MonotonicClock()
    before, read, after = time.monotonic_ns(), clock.now_ns(), time.monotonic_ns()
    assert before <= read <= after


def test_sleep_never_ends_early() -> None:
    deadline_ns = time.monotonic_ns() + 3_000_000
    sleep_until_ns(deadline_ns)
    assert time.monotonic_ns() >= deadline_ns


def test_a_deadline_in_the_past_is_no_error_and_no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(time, "monotonic_ns", lambda: 5_000)
    for deadline_ns in (5_000, 4_999, -1):
        sleep_until_ns(deadline_ns)
    assert slept == []
