"""Signs and pivots of head and eyes, as mien.core.pose defines them."""

import numpy as np
import pytest

from mien.core.pose import CHANNEL_INDEX, Pose, new_pose
from mien.render.transform import EYE_PITCH_RAD, EYE_YAW_RAD, RigidTurn, turn_eyes, turn_head

PIVOT = np.array([0.1, 1.4, -0.05], dtype=np.float32)
FORWARD, UP, LEFT = np.array([0, 0, 1.0]), np.array([0, 1.0, 0]), np.array([1.0, 0, 0])


def pose_of(**channels: float) -> Pose:
    pose = new_pose()
    for name, value in channels.items():
        pose[CHANNEL_INDEX[name]] = value
    return pose


def turned(turn: RigidTurn, direction: np.ndarray) -> np.ndarray:
    return turn.columns.reshape(4, 4).T[:3, :3] @ direction


def test_the_pivot_stays_and_lengths_are_kept() -> None:
    turn = RigidTurn(PIVOT)
    turn.set(0.3, -0.4, 0.2)
    matrix = turn.columns.reshape(4, 4).T
    np.testing.assert_allclose(matrix @ np.append(PIVOT, 1), np.append(PIVOT, 1), atol=1e-6)
    np.testing.assert_allclose(matrix[:3, :3] @ matrix[:3, :3].T, np.eye(3), atol=1e-6)
    assert np.linalg.det(matrix[:3, :3]) == pytest.approx(1, abs=1e-6)


def test_the_head_nods_down_turns_and_tilts_to_its_left() -> None:
    turn = RigidTurn(PIVOT)
    turn_head(turn, pose_of(headPitch=0.3))
    assert turned(turn, FORWARD)[1] == pytest.approx(-np.sin(0.3), abs=1e-6)
    turn_head(turn, pose_of(headYaw=0.3))
    assert turned(turn, FORWARD)[0] == pytest.approx(np.sin(0.3), abs=1e-6)
    turn_head(turn, pose_of(headRoll=0.3))
    assert turned(turn, UP)[0] == pytest.approx(np.sin(0.3), abs=1e-6)


def test_eyes_look_where_their_channels_say() -> None:
    left, right = RigidTurn(PIVOT), RigidTurn(PIVOT)
    turn_eyes(left, right, pose_of(eyeLookOutLeft=1, eyeLookInRight=1))
    for turn in (left, right):
        assert turned(turn, FORWARD) @ LEFT == pytest.approx(np.sin(EYE_YAW_RAD), abs=1e-6)
    turn_eyes(left, right, pose_of(eyeLookInLeft=1, eyeLookInRight=1))
    assert turned(left, FORWARD)[0] < 0 < turned(right, FORWARD)[0]
    turn_eyes(left, right, pose_of(eyeLookUpLeft=1, eyeLookDownRight=0.5))
    assert turned(left, FORWARD)[1] == pytest.approx(np.sin(EYE_PITCH_RAD), abs=1e-6)
    assert turned(right, FORWARD)[1] == pytest.approx(-np.sin(EYE_PITCH_RAD / 2), abs=1e-6)


def test_matrices_are_rewritten_in_place() -> None:
    turn = RigidTurn(PIVOT)
    columns, address = turn.columns, turn.address
    turn.set(0.1, 0.2, 0.3)
    assert turn.columns is columns
    assert turn.columns.ctypes.data == address
