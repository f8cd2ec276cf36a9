"""The clock of the tests: every other test trusts it."""

import pytest

from mien.core.clock import ManualClock


def test_it_stands_until_it_is_told_and_counts_exactly():
    clock = ManualClock(5)
    assert (clock.now_ns(), clock.now_ns()) == (5, 5)
    clock.advance_ns(7)
    clock.advance_ns(0)
    clock.advance_ms(0.5)
    assert clock.now_ns() == 500_012
    assert ManualClock().now_ns() == 0


def test_it_does_not_go_back():
    clock = ManualClock(5)
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance_ns(-1)
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance_ms(-1)
    assert clock.now_ns() == 5
