"""Counters: they begin at nothing, and a report of them does not grow afterwards."""

from mien.core.counters import Counters


def test_a_count_grows_by_one_or_by_an_amount():
    counters = Counters()
    assert counters["late"] == 0
    counters.count("late")
    counters.count("late", 5)
    counters.count("early")
    assert (counters["late"], counters["early"]) == (6, 1)


def test_a_snapshot_is_sorted_and_stays_as_it_was():
    counters = Counters()
    counters.count("z", 2)
    counters.count("a")
    taken = counters.snapshot()
    counters.count("z")
    assert list(taken.items()) == [("a", 1), ("z", 2)]
    assert counters.snapshot() == {"a": 1, "z": 3}


def test_asking_for_a_count_does_not_report_it():
    counters = Counters()
    assert counters["never"] == 0
    assert counters.snapshot() == {}
