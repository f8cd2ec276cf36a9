import time

import pytest

from mien.core.clock import Clock
from mien.host import clock as clock_module
from mien.host.clock import MonotonicClock, sleep_until_ns


def test_it_is_the_monotonic_clock_of_the_machine() -> None:
    clock: Clock = MonotonicClock()
    before, read, after = time.monotonic_ns(), clock.now_ns(), time.monotonic_ns()
    assert before <= read <= after


def test_sleep_never_ends_early() -> None:
    deadline_ns = time.monotonic_ns() + 3_000_000
    sleep_until_ns(deadline_ns)
    assert time.monotonic_ns() >= deadline_ns


class Machine:
    """A machine whose sleep ends early twice, as a signal makes it, and never again."""

    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns
        self.slept_s: list[float] = []

    def monotonic_ns(self) -> int:
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_ns += round(seconds * 1e9) // (4 if len(self.slept_s) < 3 else 1)


@pytest.mark.parametrize("late_ns", [0, 1, 1_000_000_000, 10**18])
def test_a_deadline_that_has_come_is_not_slept_for(monkeypatch: pytest.MonkeyPatch, late_ns: int) -> None:
    machine = Machine(10**18)
    monkeypatch.setattr(clock_module, "time", machine)
    sleep_until_ns(machine.now_ns - late_ns)
    assert machine.slept_s == []


def test_a_sleep_that_ended_early_goes_on_for_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(5_000_000_000)
    monkeypatch.setattr(clock_module, "time", machine)
    sleep_until_ns(5_016_000_000)
    assert machine.slept_s == pytest.approx([0.016, 0.012, 0.009])
    assert machine.now_ns == 5_016_000_000
