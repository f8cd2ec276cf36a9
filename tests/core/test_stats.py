"""Windows and counters."""

from mien.core.stats import Counters, Window


def test_a_window_keeps_the_newest():
    window = Window(4)
    assert window.percentile(50) is None
    assert window.median_and_abs_p95() is None
    for value in range(10):
        window.add(value)
    assert (len(window), window.percentile(0), window.percentile(100)) == (4, 6.0, 9.0)
    window.clear()
    assert len(window) == 0


def test_counters_only_grow():
    counters = Counters()
    counters.count("b")
    counters.count("a", 3)
    assert counters.snapshot() == {"a": 3, "b": 1}
    assert counters["never"] == 0


def test_a_median_and_how_far_the_far_ones_are_on_either_side():
    window = Window(100)
    for value in [*range(-50, 45), *[-90] * 5]:
        window.add(value)
    median, far = window.median_and_abs_p95()
    assert median == -5.5
    assert 50 <= far <= 90


def test_a_window_that_is_not_full_tells_only_what_it_was_given():
    window = Window(10)
    window.add(3.0)
    assert (len(window), window.percentile(50), window.median_and_abs_p95()) == (1, 3.0, (3.0, 3.0))
    window.add(-5.0)
    assert (window.percentile(0), window.percentile(100)) == (-5.0, 3.0)
    assert window.median_and_abs_p95()[0] == -1.0
    window.clear()
    assert (len(window), window.percentile(50), window.median_and_abs_p95()) == (0, None, None)


def test_a_snapshot_is_a_sorted_copy():
    counters = Counters()
    for name in ("b", "a", "b"):
        counters.count(name)
    copy = counters.snapshot()
    counters.count("a")
    assert list(copy.items()) == [("a", 1), ("b", 2)]
