"""Trust that comes back later each time."""

from mien.core.hold import CALM_NS, MOST_NS, Hold
from mien.units import NS_PER_S


def held_s(hold: Hold, who: int, failed_ns: int) -> float:
    """Fail at a time; how many seconds it takes to be trusted again."""
    hold.failed(who, failed_ns)
    now_ns = failed_ns
    while not hold.over(who, now_ns):
        now_ns += NS_PER_S // 2
    return (now_ns - failed_ns) / NS_PER_S


def test_a_first_failure_is_forgiven_at_once_and_later_ones_ever_later():
    hold = Hold()
    assert hold.over(7, 0)
    assert [held_s(hold, 7, 100 * second * NS_PER_S) for second in range(8)] == [0, 2, 4, 8, 16, 32, 60, 60]


def test_a_calm_time_and_a_new_process_are_a_clean_slate():
    hold = Hold()
    for second in range(5):
        hold.failed(7, second * NS_PER_S)
    assert not hold.over(7, 5 * NS_PER_S)
    assert hold.over(8, 5 * NS_PER_S)
    assert held_s(hold, 8, 6 * NS_PER_S) == 0
    assert held_s(hold, 8, 7 * NS_PER_S) == 2
    assert held_s(hold, 8, 7 * NS_PER_S + MOST_NS + CALM_NS) == 0


def test_calm_begins_where_the_hold_ends():
    """Two minutes after a failure whose hold was a minute, only one of them was calm."""
    hold = Hold()
    for _ in range(7):
        hold.failed(7, 0)
    assert held_s(hold, 7, MOST_NS + CALM_NS - 1) == 60
    hold = Hold()
    for _ in range(7):
        hold.failed(7, 0)
    assert held_s(hold, 7, MOST_NS + CALM_NS) == 0
