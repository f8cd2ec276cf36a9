"""The channels of a pose: whose they are, and where each lies."""

import numpy as np

from mien.core.pose import (
    ARKIT_SHAPES,
    CHANNEL_COUNT,
    CHANNEL_INDEX,
    CHANNELS,
    SHAPE_COUNT,
    SPEECH_INDICES,
    SPEECH_SHAPES,
    new_pose,
)


def test_the_shapes_are_arkits_with_both_sides_and_the_body_follows():
    assert (SHAPE_COUNT, CHANNEL_COUNT, len(set(CHANNELS))) == (52, 56, 56)
    assert CHANNELS[SHAPE_COUNT:] == ("headPitch", "headYaw", "headRoll", "breath")
    left = {name[:-4] for name in ARKIT_SHAPES if name.endswith("Left")}
    assert left == {name[:-5] for name in ARKIT_SHAPES if name.endswith("Right")}
    assert [CHANNEL_INDEX[name] for name in CHANNELS] == list(range(CHANNEL_COUNT))


def test_speech_owns_the_mouth_and_what_moves_with_it_and_leaves_the_eyes_and_brows():
    assert {"jawOpen", "jawLeft", "mouthClose", "mouthSmileLeft", "cheekPuff", "tongueOut"} <= set(SPEECH_SHAPES)
    others = set(ARKIT_SHAPES) - set(SPEECH_SHAPES)
    assert {name[:3] for name in others} == {"eye", "bro", "che", "nos"}
    assert {"cheekSquintLeft", "cheekSquintRight"} <= others
    assert [CHANNELS[index] for index in SPEECH_INDICES] == list(SPEECH_SHAPES)


def test_a_new_pose_is_neutral_and_ones_own():
    first, second = new_pose(), new_pose()
    first[0] = 1
    assert (second.shape, second.dtype, second.any()) == ((CHANNEL_COUNT,), np.float32, False)
