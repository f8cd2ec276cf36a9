import time

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


def test_a_deadline_in_the_past_is_no_error() -> None:
    sleep_until_ns(time.monotonic_ns() - 1_000_000_000)
    sleep_until_ns(-1)
