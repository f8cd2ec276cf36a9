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
