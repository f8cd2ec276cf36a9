"""Building blocks of behaviour: curves that do not depend on the step size."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.core.pose import CHANNEL_INDEX, new_pose
from mien.face.behaviour.blink import BLINK_S, CLOSING_S, SHUT_S, closure
from mien.face.behaviour.curves import Fade, Spring, keyframes, minimum_jerk, smoothstep
from mien.face.behaviour.expressions import EMOTION_POSES, STATE_POSES, STATE_STYLES, STATES
from mien.face.behaviour.gaze import STYLES, Gaze
from mien.face.behaviour.gestures import MAX_AT_ONCE, TRACKS, Gestures


@given(cuts=st.lists(st.floats(0.001, 0.3), min_size=1, max_size=20), target=st.floats(-2, 2))
def test_a_spring_goes_the_same_way_in_any_steps(cuts: list[float], target: float) -> None:
    stepped, whole = Spring(6.0), Spring(6.0)
    for duration_s in cuts:
        stepped.step(target, duration_s)
    whole.step(target, sum(cuts))
    assert stepped.value == pytest.approx(whole.value, abs=1e-9)


def test_a_spring_arrives_without_overshoot() -> None:
    spring = Spring(5.0)
    course = [spring.step(1.0, 0.02) for _ in range(150)]
    assert max(course) <= 1.0
    assert course == sorted(course)
    assert course[49] > 0.95


@pytest.mark.parametrize("curve", [smoothstep, minimum_jerk])
def test_curves_go_from_0_to_1_and_stay(curve: object) -> None:
    values = [curve(x) for x in np.linspace(-0.5, 1.5, 101)]
    assert values[0] == 0.0
    assert values[-1] == 1.0
    assert values == sorted(values)
    assert curve(0.5) == pytest.approx(0.5)


def test_keyframes_pass_through_their_keys_and_hold_outside() -> None:
    times_s, values = (0.2, 0.5, 1.0), (1.0, -1.0, 0.5)
    assert [keyframes(time_s, times_s, values) for time_s in times_s] == list(values)
    assert keyframes(0.0, times_s, values) == 1.0
    assert keyframes(9.0, times_s, values) == 0.5


def test_a_blink_closes_faster_than_it_opens_and_is_shut_between() -> None:
    assert closure(0.0) == 0.0
    assert closure(CLOSING_S) == closure(CLOSING_S + SHUT_S) == 1.0
    assert closure(BLINK_S) == pytest.approx(0.0)
    assert CLOSING_S < BLINK_S - CLOSING_S - SHUT_S


def test_a_fade_may_be_turned_round_on_its_way_without_a_jump() -> None:
    fade, smile = Fade(), EMOTION_POSES["happy"]
    fade.to(smile, 0.0, 1.0)
    halfway = fade.at(0.5).copy()
    fade.to(new_pose(), 0.5, 1.0)
    np.testing.assert_allclose(fade.at(0.5), halfway, atol=1e-6)
    np.testing.assert_allclose(fade.at(1.5), new_pose(), atol=1e-6)


def test_every_gesture_ends_where_it_began() -> None:
    for name, tracks in TRACKS.items():
        for track in tracks:
            assert track.values[0] == track.values[-1] == 0.0, name
            assert list(track.times_s) == sorted(track.times_s), name


def test_only_so_many_gestures_at_once() -> None:
    gestures, pose = Gestures(), new_pose()
    for _ in range(10 * MAX_AT_ONCE):
        gestures.play("nod", 0.0)
    gestures.add_to(pose, 0.19)
    assert pose[CHANNEL_INDEX["headPitch"]] == pytest.approx(0.15 * MAX_AT_ONCE, abs=1e-5)


def test_a_saccade_is_quick_and_the_head_follows_slowly() -> None:
    gaze = Gaze(random.Random(1))
    gaze.hold(1.0, 0.0, 0.0)
    gaze.at(0.12, STYLES["idle"])
    eyes, head = gaze.yaw, gaze.head_yaw
    gaze.at(1.2, STYLES["idle"])
    assert eyes > 0.9 * gaze.yaw
    assert head < 0.5 * gaze.head_yaw
    assert 0 < gaze.head_yaw < gaze.yaw


def test_there_is_a_look_a_manner_and_a_gaze_for_every_state() -> None:
    assert set(STATE_POSES) == set(STATE_STYLES) == set(STYLES) == set(STATES)
    assert {style.aside for style in STATE_STYLES.values()} <= {"", *TRACKS}
