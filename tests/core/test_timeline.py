"""The timeline: tracks of turns on the media clock."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.core.timeline import Timeline

MS = 1_000_000


def ramp(first, count):
    return np.repeat(np.arange(first, first + count, dtype=np.float32)[:, None], 3, axis=1)


def at(timeline, ms):
    out = np.full(3, -1, np.float32)
    return float(out[0]) if timeline.sample(int(ms * MS), out) else None


def test_empty_says_so_and_touches_nothing():
    timeline = Timeline(width=3, frame_hz=100, capacity=10)
    assert at(timeline, 0) is None
    timeline.begin(0)
    assert at(timeline, 0) is None


@given(st.floats(0, 190))
def test_between_frames_it_interpolates(ms):
    timeline = Timeline(width=3, frame_hz=100, capacity=50)
    timeline.begin(0)
    timeline.append(ramp(0, 20))
    assert at(timeline, ms) == pytest.approx(ms / 10, abs=1e-4)


def test_beyond_the_ends_the_nearest_frame_answers():
    timeline = Timeline(width=3, frame_hz=100, capacity=10)
    timeline.begin(100 * MS)
    timeline.append(ramp(0, 25))
    assert at(timeline, 0) == 15.0  # the oldest that the ring still has
    assert at(timeline, 9999) == 24.0
    assert timeline.end_ns == 350 * MS


def test_each_turn_has_its_own_spacing():
    timeline = Timeline(width=3, frame_hz=100, capacity=50)
    timeline.begin(0)
    timeline.append(ramp(0, 10))
    timeline.begin(103 * MS)
    assert at(timeline, 110) == 9.0
    timeline.append(ramp(100, 10))
    assert at(timeline, 50) == 5.0
    assert at(timeline, 113) == 101.0


def test_a_turn_that_begins_earlier_drops_what_came_after():
    timeline = Timeline(width=3, frame_hz=100, capacity=50)
    timeline.begin(0)
    timeline.append(ramp(0, 10))
    timeline.begin(100 * MS)
    timeline.append(ramp(100, 10))
    timeline.begin(100 * MS)
    timeline.append(ramp(200, 5))
    assert at(timeline, 120) == 202.0


def test_many_turns_do_not_grow_it():
    timeline = Timeline(width=3, frame_hz=100, capacity=50, tracks=3)
    for turn in range(100):
        timeline.begin(turn * 100 * MS)
        timeline.append(ramp(turn * 10, 10))
    assert len(timeline._tracks) + len(timeline._spare) == 3
    assert at(timeline, 9950) == 995.0
    timeline.clear()
    assert at(timeline, 0) is None


def test_a_face_that_joins_late_fills_a_turn_from_its_middle():
    timeline = Timeline(width=3, frame_hz=100, capacity=50)
    timeline.begin(1000 * MS, at_frame=30)
    assert timeline.end_ns == 1300 * MS
    timeline.append(ramp(30, 10))
    assert (at(timeline, 1355), at(timeline, 1000), timeline.end_ns) == (35.5, 30.0, 1400 * MS)


def test_a_new_turn_begins_empty_whatever_its_track_held():
    timeline = Timeline(width=3, frame_hz=100, capacity=10, tracks=1)
    timeline.begin(0)
    timeline.append(ramp(0, 10))
    timeline.begin(500 * MS)
    assert at(timeline, 500) is None
    timeline.append(ramp(70, 1))
    assert [at(timeline, ms) for ms in (0, 500, 999)] == [70.0, 70.0, 70.0]


def test_what_is_cleared_or_not_begun_has_no_end():
    timeline = Timeline(width=3, frame_hz=100, capacity=10)
    assert timeline.end_ns == 0
    timeline.begin(50 * MS)
    timeline.append(ramp(0, 3))
    assert timeline.end_ns == 80 * MS
    timeline.clear()
    assert timeline.end_ns == 0


def test_before_a_turn_the_one_before_it_answers_and_from_its_start_itself():
    timeline = Timeline(width=3, frame_hz=100, capacity=50)
    timeline.begin(0)
    timeline.append(ramp(0, 10))
    timeline.begin(200 * MS)
    timeline.append(ramp(100, 10))
    assert [at(timeline, ms) for ms in (-50, 199.999, 200, 205)] == [0.0, 9.0, 100.0, 100.5]


@pytest.mark.parametrize("cuts", [[4, 4, 4], [12], [1] * 12, [11, 1]])
def test_frames_come_in_any_portions_even_larger_than_what_is_kept(cuts):
    timeline = Timeline(width=3, frame_hz=100, capacity=5)
    timeline.begin(0)
    first = 0
    for count in cuts:
        timeline.append(ramp(first, count))
        first += count
    assert [at(timeline, ms) for ms in (0, 70, 95, 110, 500)] == [7.0, 7.0, 9.5, 11.0, 11.0]


def test_a_turn_that_begins_again_has_no_motion_yet():
    timeline, out = Timeline(width=1, frame_hz=10, capacity=100), np.zeros(1, np.float32)
    timeline.begin(0)
    timeline.append(np.ones((10, 1), np.float32))
    timeline.begin(0)
    assert not timeline.sample(0, out)


def test_of_more_turns_than_tracks_the_oldest_goes():
    timeline, out = Timeline(width=1, frame_hz=10, capacity=100, tracks=2), np.zeros(1, np.float32)
    for number in range(3):
        timeline.begin(number * 10**9)
        timeline.append(np.full((10, 1), number, np.float32))
    seen = [timeline.sample(at_s * 10**9 + 5 * 10**8, out) and float(out[0]) for at_s in range(3)]
    assert seen == [1.0, 1.0, 2.0]


def test_a_timeline_keeps_four_turns_unless_it_is_told_otherwise():
    timeline, out = Timeline(width=1, frame_hz=10, capacity=10), np.zeros(1, np.float32)
    for number in range(5):
        timeline.begin(number * 10**9)
        timeline.append(np.full((10, 1), number, np.float32))
    seen = [timeline.sample(at_s * 10**9 + 5 * 10**8, out) and float(out[0]) for at_s in range(5)]
    assert seen == [1.0, 1.0, 2.0, 3.0, 4.0]
