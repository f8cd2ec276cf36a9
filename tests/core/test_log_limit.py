"""A flood of what is worth a line each becomes a few lines that say how many it was."""

import pytest

from mien.core.log_limit import LogLimit
from mien.units import NS_PER_S


def told(limit, times_s, text="bad"):
    return [line for at_s in times_s if (line := limit.line(text, round(at_s * NS_PER_S))) is not None]


def test_a_flood_is_a_burst_and_then_one_line_in_a_while():
    limit = LogLimit(burst=5, every_s=10)
    lines = told(limit, [number / 1000 for number in range(30_000)])
    assert lines == ["bad"] * 5 + ["bad (9995 more like it were not logged)", "bad (9999 more like it were not logged)"]


@pytest.mark.parametrize("start_s", [0, 5_000_000])
def test_none_is_left_out_that_come_rarely(start_s):
    assert told(LogLimit(burst=1, every_s=10), [start_s + 10 * number for number in range(50)]) == ["bad"] * 50


def test_the_burst_comes_back_after_quiet_and_is_not_saved_up():
    limit = LogLimit(burst=3, every_s=1)
    assert len(told(limit, [0] * 10)) == 3
    assert told(limit, [1000] * 10) == ["bad (7 more like it were not logged)", "bad", "bad"]
    assert len(told(limit, [1000.999] * 10)) == 0
    assert len(told(limit, [1001] * 10)) == 1


def test_time_is_not_lost_between_lines():
    limit = LogLimit(burst=1, every_s=10)
    assert len(told(limit, [0, 9, 15, 19, 20, 29.5, 30])) == 4


def test_after_quiet_the_first_line_behind_a_burst_waits_the_whole_time():
    limit = LogLimit(burst=5, every_s=10.0)
    assert all(limit.line("x", 14 * NS_PER_S) for _ in range(5))
    assert limit.line("x", 23_999_999_999) is None
    assert limit.line("x", 24 * NS_PER_S) == "x (1 more like it were not logged)"


def test_without_figures_five_lines_pass_and_then_one_in_ten_seconds():
    assert len(told(LogLimit(), [number / 100 for number in range(1000)])) == 5
    assert len(told(LogLimit(), [number / 100 for number in range(1001)])) == 6
    assert len(told(LogLimit(), [number / 100 for number in range(3001)])) == 8
