"""The display's grid: kept without vsync, learned with it, and every picture counted honestly."""

import itertools
import random

import pytest

from mien.core.clock import ManualClock
from mien.core.pacer import DisplayPacer

PERIOD_NS = 16_666_667
START_NS = 86_400_000_000_000


def run_without_vsync(pacer: DisplayPacer, clock: ManualClock, draw_ms: list[float]) -> list[tuple[int, int]]:
    """Draw pictures that take draw_ms each, waiting as a presenter does: (aimed, seen) of each."""
    pictures = []
    for duration_ms in draw_ms:
        aimed_ns = pacer.next_visible_ns(clock.now_ns())
        clock.advance_ms(duration_ms)
        pictures.append((aimed_ns, pacer.presented(clock.now_ns(), vsync=False)))
        clock.advance_ns(pacer.wait_ns(clock.now_ns()))
    return pictures


def test_a_picture_in_time_is_seen_when_it_was_drawn_for() -> None:
    pictures = run_without_vsync(DisplayPacer(PERIOD_NS), ManualClock(START_NS), [3.0] * 50)
    assert all(aimed == seen for aimed, seen in pictures)


def test_the_grid_is_absolute_and_does_not_drift() -> None:
    pacer, clock, draw = DisplayPacer(PERIOD_NS), ManualClock(START_NS), random.Random(4)
    pictures = run_without_vsync(pacer, clock, [draw.uniform(0.1, 12.0) for _ in range(20_000)])
    assert [seen for _, seen in pictures] == [START_NS + PERIOD_NS * (number + 1) for number in range(20_000)]
    assert (pacer.shown, pacer.missed) == (20_000, 0)


def test_a_late_picture_is_seen_at_the_next_refresh_and_counts_as_missed() -> None:
    pacer, clock = DisplayPacer(PERIOD_NS), ManualClock(START_NS)
    run_without_vsync(pacer, clock, [2.0])
    [(aimed_ns, seen_ns)] = run_without_vsync(pacer, clock, [40.0])
    assert seen_ns - aimed_ns == 2 * PERIOD_NS
    assert (pacer.shown, pacer.missed) == (2, 2)
    [(aimed_ns, after_ns)] = run_without_vsync(pacer, clock, [2.0])
    assert after_ns == aimed_ns == seen_ns + PERIOD_NS


def test_waiting_ends_at_the_refresh_and_a_late_picture_is_not_waited_for_longer() -> None:
    pacer, clock = DisplayPacer(PERIOD_NS), ManualClock(START_NS)
    assert pacer.wait_ns(clock.now_ns()) == 0
    seen_ns = pacer.presented(clock.now_ns(), vsync=False)
    assert pacer.wait_ns(clock.now_ns()) == seen_ns - clock.now_ns()
    clock.advance_ns(5 * PERIOD_NS)
    assert pacer.wait_ns(clock.now_ns()) == 0


def test_a_timer_that_fires_early_does_not_show_one_refresh_twice() -> None:
    pacer, clock = DisplayPacer(PERIOD_NS), ManualClock(START_NS)
    seen = []
    for _ in range(100):
        pacer.next_visible_ns(clock.now_ns())
        clock.advance_ns(50_000)
        seen.append(pacer.presented(clock.now_ns(), vsync=False))
        clock.advance_ns(max(0, pacer.wait_ns(clock.now_ns()) - 200_000))
    assert {later - earlier for earlier, later in itertools.pairwise(seen)} == {PERIOD_NS}
    assert (pacer.shown, pacer.missed) == (100, 0)


def test_pictures_that_replace_each_other_before_a_refresh_count_once() -> None:
    pacer = DisplayPacer(PERIOD_NS)
    for offset_ns in (0, 100_000, 200_000):
        pacer.presented(START_NS + offset_ns, vsync=False)
    assert (pacer.shown, pacer.missed) == (1, 0)


def test_next_visible_is_always_later_than_now() -> None:
    pacer = DisplayPacer(PERIOD_NS)
    for now_ns in range(START_NS, START_NS + 3 * PERIOD_NS, 1_234_567):
        assert now_ns < pacer.next_visible_ns(now_ns) <= now_ns + PERIOD_NS


@pytest.mark.parametrize("vsync", [True, False])
@pytest.mark.parametrize("depth", [1, 2])
def test_a_refresh_that_has_its_picture_is_not_drawn_for_again(vsync: bool, depth: int) -> None:
    """Asked again before the picture just presented is seen: the next one is a refresh later, and never two."""
    pacer = DisplayPacer(PERIOD_NS, depth=depth)
    pacer.next_visible_ns(START_NS)
    drawn_ns = START_NS + (PERIOD_NS if vsync else 1_000_000)
    seen_ns = pacer.presented(drawn_ns, vsync=vsync)
    for asked_ns in (drawn_ns, seen_ns - 1):
        assert pacer.next_visible_ns(asked_ns) >= seen_ns + PERIOD_NS - 1
    assert pacer.next_visible_ns(seen_ns - (depth - 1) * PERIOD_NS - 1) <= seen_ns + PERIOD_NS + 1
    later_ns = seen_ns + 40 * PERIOD_NS + 5
    assert later_ns < pacer.next_visible_ns(later_ns) <= later_ns + depth * PERIOD_NS


@pytest.mark.parametrize("true_period_ns", [16_683_333, 16_600_000])
def test_vsync_teaches_the_displays_own_period_and_phase(true_period_ns: int) -> None:
    pacer, jitter = DisplayPacer(PERIOD_NS), random.Random(7)
    refresh_ns = START_NS
    for _ in range(1200):
        refresh_ns += true_period_ns
        now_ns = refresh_ns + int(jitter.uniform(0, 400_000))
        pacer.presented(now_ns, vsync=True)
    assert abs(pacer.next_visible_ns(now_ns) - (refresh_ns + true_period_ns)) < 500_000
    assert abs(pacer.period_ns - true_period_ns) < 20_000
    assert (pacer.shown, pacer.missed) == (1200, 0)


def test_a_refresh_without_a_new_picture_is_missed_with_vsync_too() -> None:
    pacer = DisplayPacer(PERIOD_NS)
    for refresh in (0, 1, 2, 5, 6):
        pacer.presented(START_NS + refresh * PERIOD_NS, vsync=True)
    assert (pacer.shown, pacer.missed) == (5, 2)


def test_a_queueing_flip_is_seen_one_refresh_later() -> None:
    pacer = DisplayPacer(PERIOD_NS, depth=2)
    assert pacer.presented(START_NS, vsync=True) == START_NS + PERIOD_NS
    assert pacer.next_visible_ns(START_NS + 1000) == START_NS + 2 * PERIOD_NS


def test_reset_starts_a_new_grid_and_keeps_the_counters() -> None:
    pacer = DisplayPacer(PERIOD_NS)
    pacer.presented(START_NS, vsync=True)
    pacer.reset()
    pacer.presented(START_NS + 10_000 * PERIOD_NS + 5_000_000, vsync=True)
    assert (pacer.shown, pacer.missed) == (2, 0)


@pytest.mark.parametrize(("period_ns", "depth"), [(0, 1), (-5, 1), (PERIOD_NS, 0)])
def test_a_display_without_a_period_is_refused(period_ns: int, depth: int) -> None:
    with pytest.raises(ValueError, match="period"):
        DisplayPacer(period_ns, depth=depth)


def test_two_pictures_are_never_drawn_for_one_refresh() -> None:
    """Right after a picture was presented its refresh is still to come: the next one is for the refresh after it."""
    pacer = DisplayPacer(PERIOD_NS)
    pacer.next_visible_ns(START_NS)
    assert pacer.presented(START_NS + 1000, vsync=False) == START_NS + PERIOD_NS
    assert pacer.next_visible_ns(START_NS + 2000) == START_NS + 2 * PERIOD_NS
    assert pacer.next_visible_ns(START_NS + 3 * PERIOD_NS + 1) == START_NS + 4 * PERIOD_NS


def test_a_grid_that_runs_far_from_what_the_display_says_is_followed_no_further() -> None:
    for true_ns in (PERIOD_NS // 2, PERIOD_NS * 2):
        pacer, now_ns = DisplayPacer(PERIOD_NS), START_NS
        for _ in range(4000):
            now_ns += true_ns + (PERIOD_NS // 3 if _ % 2 else 0)
            pacer.presented(now_ns, vsync=True)
        assert 0.95 * PERIOD_NS - 1 <= pacer.period_ns <= 1.05 * PERIOD_NS + 1


def test_without_vsync_a_queue_of_two_is_seen_a_refresh_later_and_waited_for_a_refresh_less() -> None:
    pacer = DisplayPacer(PERIOD_NS, depth=2)
    assert pacer.next_visible_ns(START_NS) == START_NS + 2 * PERIOD_NS + PERIOD_NS - PERIOD_NS
    seen_ns = pacer.presented(START_NS + 1000, vsync=False)
    assert seen_ns == START_NS + 2 * PERIOD_NS
    assert pacer.wait_ns(START_NS + 1000) == PERIOD_NS - 1000


def test_after_a_rest_the_next_refresh_is_free():
    pacer = DisplayPacer(PERIOD_NS)
    pacer.presented(START_NS, vsync=True)
    now_ns = START_NS + 100 * PERIOD_NS + PERIOD_NS // 3
    pacer.rested(now_ns)
    assert pacer.next_visible_ns(now_ns) == START_NS + 101 * PERIOD_NS


@pytest.mark.parametrize("share", [0.92, 1.08])
def test_the_grid_follows_no_display_beyond_what_displays_deviate(share):
    pacer = DisplayPacer(PERIOD_NS)
    for number in range(5000):
        pacer.presented(START_NS + round(number * share * PERIOD_NS), vsync=True)
        assert 0.95 * PERIOD_NS <= pacer.period_ns <= 1.05 * PERIOD_NS


@pytest.mark.parametrize(("depth", "vsync"), [(1, True), (1, False), (2, True), (2, False)])
def test_refreshes_without_a_picture_on_purpose_are_not_missed(depth: int, vsync: bool) -> None:
    """After a rest of 100 refreshes the next picture is in time; the one after a slip of two more is not."""
    pacer = DisplayPacer(PERIOD_NS, depth=depth)
    first_ns = pacer.presented(START_NS, vsync=vsync)
    for refresh in range(1, 101):
        pacer.rested(first_ns - (depth - 1) * PERIOD_NS + refresh * PERIOD_NS - 1_000_000)
    pacer.presented(first_ns - (depth - 1) * PERIOD_NS + 100 * PERIOD_NS - (0 if vsync else 1_000_000), vsync=vsync)
    assert (pacer.shown, pacer.missed) == (2, 0)
    pacer.presented(first_ns - (depth - 1) * PERIOD_NS + 103 * PERIOD_NS - (0 if vsync else 1_000_000), vsync=vsync)
    assert (pacer.shown, pacer.missed) == (3, 2)


def test_a_rest_before_any_picture_and_one_in_the_middle_of_a_refresh_change_nothing() -> None:
    pacer = DisplayPacer(PERIOD_NS)
    pacer.rested(START_NS)
    assert pacer.wait_ns(START_NS) == 0
    seen_ns = pacer.presented(START_NS, vsync=False)
    pacer.rested(START_NS + 1000)
    assert pacer.next_visible_ns(START_NS + 2000) == seen_ns + PERIOD_NS
    assert pacer.wait_ns(START_NS + 2000) == seen_ns - START_NS - 2000


def test_one_late_flip_moves_the_grid_by_a_tenth_and_the_period_by_a_two_hundredth() -> None:
    """The scheduler delays flips now and then; the display has not moved."""
    late_ns, pacer = 1_000_000, DisplayPacer(PERIOD_NS)
    for refresh in range(10):
        pacer.presented(START_NS + refresh * PERIOD_NS, vsync=True)
    pacer.presented(START_NS + 10 * PERIOD_NS + late_ns, vsync=True)
    assert pacer.period_ns == pytest.approx(PERIOD_NS + late_ns / 200)
    after_ns = pacer.next_visible_ns(START_NS + 10 * PERIOD_NS + late_ns)
    assert after_ns - (START_NS + 11 * PERIOD_NS) == pytest.approx(late_ns / 10 + late_ns / 200, abs=2)


@pytest.mark.parametrize(("early_share", "refreshes"), [(0.24, 1), (0.26, 0)])
def test_a_wait_that_ends_a_quarter_of_a_period_early_was_no_wait(early_share: float, refreshes: int) -> None:
    pacer = DisplayPacer(PERIOD_NS)
    pacer.next_visible_ns(START_NS)
    seen_ns = pacer.presented(START_NS + 1000, vsync=False)
    assert pacer.presented(seen_ns - round(early_share * PERIOD_NS), vsync=False) == seen_ns + refreshes * PERIOD_NS


@pytest.mark.parametrize("share", [0.96, 1.04])
def test_a_display_that_is_off_by_a_twenty_fifth_is_followed(share: float) -> None:
    pacer, now_ns = DisplayPacer(PERIOD_NS), START_NS
    for _ in range(3000):
        now_ns += round(share * PERIOD_NS)
        pacer.presented(now_ns, vsync=True)
    assert pacer.period_ns == pytest.approx(share * PERIOD_NS, rel=0.001)
