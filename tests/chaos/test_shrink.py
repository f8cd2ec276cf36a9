"""The smallest part of a schedule that still fails."""

import pytest

from chaos.shrink import shrink


def trials(culprits):
    """fails() for a failure that needs all of `culprits`, and the list of what was tried."""
    tried = []

    def fails(items):
        tried.append(items)
        return culprits <= set(items)

    return fails, tried


@pytest.mark.parametrize("culprits", [{99}, {0}, {50}, {0, 99}, {10, 11, 12}, {3, 40, 77}])
def test_what_is_left_is_the_culprits_alone(culprits):
    fails, tried = trials(culprits)
    assert shrink(range(100), fails) == sorted(culprits)
    assert len(tried) < 200


def test_the_last_act_alone_is_tried_first():
    fails, tried = trials({99})
    assert shrink(range(100), fails) == [99]
    assert tried == [[99]]


def test_without_time_the_whole_is_kept():
    fails, tried = trials({5})
    assert shrink(range(10), fails, lambda: False) == list(range(10))
    assert tried == []


def test_when_time_runs_out_the_best_so_far_is_kept():
    fails, tried = trials({0, 1})
    left = shrink(range(64), fails, lambda: len(tried) < 10)
    assert {0, 1} <= set(left)
    assert len(left) < 64
    assert len(tried) == 10


def test_a_failure_that_never_comes_again_keeps_the_whole():
    assert shrink(range(8), lambda _: False) == list(range(8))


def test_every_trial_is_a_part_of_the_schedule_in_its_order():
    fails, tried = trials({2, 17, 30})
    shrink(range(40), fails)
    assert all(items == sorted(set(items)) and set(items) <= set(range(40)) and items for items in tried)
