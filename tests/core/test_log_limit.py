"""A flood of bad input writes a few lines, and the next line says how many were held back."""

from mien.core.log_limit import LogLimit


def test_one_line_an_interval_and_the_rest_is_counted() -> None:
    limit = LogLimit(1000)
    assert limit.allow(5)
    assert limit.dropped == 0
    assert [limit.allow(at) for at in (5, 500, 1004)] == [False] * 3
    assert limit.allow(1005)
    assert limit.dropped == 3
    assert not limit.allow(2004)
    assert limit.allow(2005 + 10**9)
    assert limit.dropped == 1


def test_the_first_line_is_always_allowed_even_at_the_clocks_start() -> None:
    assert LogLimit(10**12).allow(0)
