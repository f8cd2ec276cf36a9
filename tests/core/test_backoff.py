"""Trust that comes back later each time, and attempts that follow each other ever later."""

import pytest

from mien.core.backoff import CALM_NS, MAX_NS, Backoff, Retry
from mien.units import NS_PER_S


def held_s(hold: Backoff, who: int, failed_ns: int) -> float:
    """Fail at a time; how many seconds it takes to be trusted again."""
    hold.failed(who, failed_ns)
    now_ns = failed_ns
    while not hold.over(who, now_ns):
        now_ns += NS_PER_S // 2
    return (now_ns - failed_ns) / NS_PER_S


def test_a_first_failure_is_forgiven_at_once_and_later_ones_ever_later():
    hold = Backoff()
    assert hold.over(7, 0)
    assert [held_s(hold, 7, 100 * second * NS_PER_S) for second in range(8)] == [0, 2, 4, 8, 16, 32, 60, 60]


def test_a_calm_time_and_a_new_process_are_a_clean_slate():
    hold = Backoff()
    for second in range(5):
        hold.failed(7, second * NS_PER_S)
    assert not hold.over(7, 5 * NS_PER_S)
    assert hold.over(8, 5 * NS_PER_S)
    assert held_s(hold, 8, 6 * NS_PER_S) == 0
    assert held_s(hold, 8, 7 * NS_PER_S) == 2
    assert held_s(hold, 8, 7 * NS_PER_S + MAX_NS + CALM_NS) == 0


def test_calm_begins_where_the_hold_ends():
    """Two minutes after a failure whose hold was a minute, only one of them was calm."""
    hold = Backoff()
    for _ in range(7):
        hold.failed(7, 0)
    assert held_s(hold, 7, MAX_NS + CALM_NS - 1) == 60
    hold = Backoff()
    for _ in range(7):
        hold.failed(7, 0)
    assert held_s(hold, 7, MAX_NS + CALM_NS) == 0


@pytest.mark.parametrize(("after_ns", "held"), [(MAX_NS + CALM_NS - 1, True), (MAX_NS + CALM_NS, False)])
def test_the_calm_time_counts_from_when_it_was_trusted_again(after_ns, held):
    hold = Backoff()
    for number in range(8):
        hold.failed(7, number)
    assert not hold.over(7, 7 + MAX_NS - 1)
    assert hold.over(7, 7 + MAX_NS)
    hold.failed(7, 7 + after_ns)
    assert hold.over(7, 7 + after_ns) is not held


def test_of_many_failures_the_hold_stays_at_its_most():
    hold = Backoff()
    for number in range(500):
        hold.failed(7, number)
    assert hold.over(7, 499 + MAX_NS)
    assert not hold.over(7, 499 + MAX_NS - 1)


def test_who_has_never_failed_is_trusted_whatever_others_did():
    hold = Backoff()
    hold.failed(7, 0)
    hold.failed(7, 1)
    assert hold.over(8, 2)
    assert not hold.over(7, 2)


@pytest.mark.parametrize("pid", [1, 2, 7])
def test_before_any_failure_everybody_is_trusted(pid):
    assert Backoff().over(pid, 0)


@pytest.mark.parametrize("pid", [0, 1, 7])
def test_a_first_failure_is_forgiven_whatever_the_process(pid):
    hold = Backoff()
    hold.failed(pid, 5)
    assert hold.over(pid, 5)
    hold.failed(pid, 6)
    assert not hold.over(pid, 6)


def delays(retry: Retry, count: int) -> list[float]:
    return [retry.next_s() for _ in range(count)]


@pytest.mark.parametrize(
    ("chance", "wanted"),
    [(1.0, [0.5, 1, 2, 4, 8, 10, 10]), (0.5, [0.375, 0.75, 1.5, 3, 6, 7.5, 7.5]), (0.0, [0.25, 0.5, 1, 2, 4, 5, 5])],
)
def test_delays_double_to_the_most_and_chance_takes_up_to_half(chance, wanted):
    assert delays(Retry(10.0, lambda: chance), 7) == wanted


def test_after_a_success_the_delays_begin_anew():
    retry = Retry(60.0, lambda: 1.0, first_s=3.0)
    assert delays(retry, 3) == [3, 6, 12]
    retry.reset()
    assert delays(retry, 2) == [3, 6]


def test_delays_stop_doubling_before_a_number_overflows():
    retry = Retry(1e9, lambda: 1.0)
    assert delays(retry, 17)[-2:] == [0.5 * 2**15, 0.5 * 2**16]
    assert delays(retry, 2000)[-1] == 0.5 * 2**16
