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


def test_a_deadline_in_the_past_does_not_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    sleep_until_ns(time.monotonic_ns() - 1_000_000_000)
    sleep_until_ns(-1)
    assert not slept


def test_a_sleep_that_ends_early_goes_on_for_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    now_ns, slept = [5_000_000_000], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now_ns[0] += round(seconds * 1e9 / 2) + 1

    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(time, "monotonic_ns", lambda: now_ns[0])
    sleep_until_ns(5_080_000_000)
    assert slept[:3] == pytest.approx([0.08, 0.04, 0.02], rel=1e-3)
    assert now_ns[0] >= 5_080_000_000
