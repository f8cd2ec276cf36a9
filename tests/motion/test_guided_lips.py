"""What aligned text changes in a pose."""

import numpy as np

from mien.core.pose import CHANNEL_INDEX, SHAPE_COUNT
from mien.motion.guided_lips import GuidedLips

JAW, CLOSE, LOWER, ROLL = (
    CHANNEL_INDEX[name] for name in ("jawOpen", "mouthClose", "mouthLowerDownLeft", "mouthRollLower")
)


def views(**given: float) -> np.ndarray:
    """other, silent, shut, near, bitten."""
    names = ("other", "silent", "shut", "near", "bitten")
    return np.array([given.get(name, 0.0) for name in names], np.float32)


def opened() -> np.ndarray:
    pose = np.zeros(SHAPE_COUNT, np.float32)
    pose[[JAW, LOWER]] = 0.5, 0.3
    return pose


def shut() -> np.ndarray:
    pose = np.zeros(SHAPE_COUNT, np.float32)
    pose[[JAW, CLOSE]] = 0.3, 0.3
    return pose


def trusting() -> GuidedLips:
    """Lips whose text has fitted for a second."""
    lips = GuidedLips()
    for _ in range(100):
        lips.apply(views(), opened())
    return lips


def test_a_closure_of_the_text_shuts_the_lips_and_leaves_the_jaw() -> None:
    pose = opened()
    trusting().apply(views(shut=1.0, near=1.0), pose)
    assert pose[JAW] == np.float32(0.5)
    assert pose[JAW] - pose[CLOSE] + pose[LOWER] < 1e-6


def test_lips_that_shut_far_from_any_closure_of_the_text_are_parted() -> None:
    pose = shut()
    trusting().apply(views(), pose)
    assert pose[JAW] - pose[CLOSE] > 0.25
    assert pose[LOWER] > 0.1


def test_near_a_closure_and_in_a_pause_the_sound_decides() -> None:
    for where in (views(near=1.0), views(silent=1.0)):
        pose = shut()
        trusting().apply(where, pose)
        np.testing.assert_array_equal(pose, shut())


def test_teeth_meet_the_lip_where_the_text_has_f_or_v() -> None:
    pose = opened()
    trusting().apply(views(bitten=1.0), pose)
    assert pose[ROLL] > 0.6
    assert pose[LOWER] == 0


def test_a_text_that_does_not_fit_changes_nothing_at_once_and_regains_trust_slowly() -> None:
    lips = trusting()
    for where in (views(shut=0.2, near=0.2, other=0.8), views(shut=1.0, near=1.0)):
        pose = opened()
        lips.apply(where, pose)
        np.testing.assert_array_equal(pose, opened())
    for _ in range(150):
        lips.apply(views(shut=1.0, near=1.0), pose := opened())
    assert pose[CLOSE] == pose[JAW]


def test_a_face_at_rest_stays_at_rest() -> None:
    pose = np.zeros(SHAPE_COUNT, np.float32)
    trusting().apply(views(), pose, at_rest=True)
    assert not pose.any()
