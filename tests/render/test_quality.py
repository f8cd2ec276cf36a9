"""Tiers follow the frame time without flapping."""

import itertools
from collections.abc import Callable

from mien.render.quality import TIERS, QualityGovernor

BUDGET_MS = 16.7
FULL, REDUCED, LOW = (tier.name for tier in TIERS)


def run(governor: QualityGovernor, cost_ms: Callable[[str], float], frames: int) -> list[str]:
    """Feed frames whose cost depends on the tier. Returns the tier of each."""
    drawn = []
    for _ in range(frames):
        drawn.append(governor.tier.name)
        governor.add(cost_ms(governor.tier.name))
    return drawn


def changes(drawn: list[str]) -> int:
    return sum(one != other for one, other in itertools.pairwise(drawn))


def test_a_fast_machine_stays_at_full() -> None:
    assert set(run(QualityGovernor(BUDGET_MS), lambda _: 16.7, 20_000)) == {FULL}


def test_a_slow_machine_steps_down_until_it_is_fast_enough_and_stays() -> None:
    drawn = run(QualityGovernor(BUDGET_MS), {FULL: 34.0, REDUCED: 16.7, LOW: 16.7}.__getitem__, 3000)
    assert drawn[500:] == [REDUCED] * 2500
    assert run(QualityGovernor(BUDGET_MS), {FULL: 60.0, REDUCED: 34.0, LOW: 16.7}.__getitem__, 600)[-1] == LOW


def test_a_short_hiccup_changes_nothing() -> None:
    governor = QualityGovernor(BUDGET_MS)
    run(governor, lambda _: 16.0, 200)
    run(governor, lambda _: 200.0, 20)
    assert set(run(governor, lambda _: 16.0, 500)) == {FULL}


def test_when_fewer_pixels_do_not_help_sharpness_is_not_given_away() -> None:
    drawn = run(QualityGovernor(BUDGET_MS), lambda _: 40.0, 30_000)
    assert drawn.count(FULL) > 0.9 * len(drawn)
    assert LOW not in drawn


def test_when_the_load_passes_it_climbs_back() -> None:
    governor = QualityGovernor(BUDGET_MS)
    run(governor, {FULL: 34.0, REDUCED: 16.7, LOW: 16.7}.__getitem__, 1000)
    assert run(governor, lambda _: 16.7, 6000)[-1] == FULL


def test_attempts_to_climb_grow_rare() -> None:
    governor = QualityGovernor(BUDGET_MS)
    cost = {FULL: 34.0, REDUCED: 16.7, LOW: 16.7}.__getitem__
    first, later = run(governor, cost, 20_000), run(governor, cost, 20_000)
    assert changes(later) < changes(first)
    assert later.count(FULL) < 0.02 * len(later)
