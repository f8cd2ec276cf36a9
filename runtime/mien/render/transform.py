"""Rigid rotations of the head or an eye, as 4x4 matrices for the vertex shader. Pure."""

import math

import numpy as np
from numpy.typing import NDArray

from mien.core.pose import CHANNEL_INDEX, Pose

# Rotation of an eye at eyeLook... = 1: the usual range without the head (the anatomical limit is about 45 degrees).
EYE_YAW_RAD = math.radians(30.0)
EYE_PITCH_RAD = math.radians(24.0)

_PITCH, _YAW, _ROLL = (CHANNEL_INDEX[name] for name in ("headPitch", "headYaw", "headRoll"))
_LEFT = tuple(CHANNEL_INDEX[f"eyeLook{way}Left"] for way in ("Out", "In", "Down", "Up"))
_RIGHT = tuple(CHANNEL_INDEX[f"eyeLook{way}Right"] for way in ("In", "Out", "Down", "Up"))


class RigidTurn:
    """A rotation about a fixed point. `columns`: float32 (16,), column-major, rewritten in place by set()."""

    def __init__(self, pivot: NDArray[np.float32]) -> None:
        self._x, self._y, self._z = (float(value) for value in pivot)
        self.columns: NDArray[np.float32] = np.eye(4, dtype=np.float32).ravel()
        self.address = self.columns.ctypes.data

    def set(self, pitch: float, yaw: float, roll: float) -> None:
        """Rotate by roll, then pitch, then yaw, in radians, with the signs of mien.core.pose."""
        sin_p, cos_p = math.sin(pitch), math.cos(pitch)
        sin_y, cos_y = math.sin(yaw), math.cos(yaw)
        sin_r, cos_r = math.sin(-roll), math.cos(-roll)
        m00 = cos_y * cos_r + sin_y * sin_p * sin_r
        m01 = -cos_y * sin_r + sin_y * sin_p * cos_r
        m02 = sin_y * cos_p
        m10, m11, m12 = cos_p * sin_r, cos_p * cos_r, -sin_p
        m20 = -sin_y * cos_r + cos_y * sin_p * sin_r
        m21 = sin_y * sin_r + cos_y * sin_p * cos_r
        m22 = cos_y * cos_p
        x, y, z = self._x, self._y, self._z
        self.columns[:] = (
            m00, m10, m20, 0.0,
            m01, m11, m21, 0.0,
            m02, m12, m22, 0.0,
            x - m00 * x - m01 * y - m02 * z,
            y - m10 * x - m11 * y - m12 * z,
            z - m20 * x - m21 * y - m22 * z,
            1.0,
        )  # fmt: skip


def turn_head(turn: RigidTurn, pose: Pose) -> None:
    """Set the head's rotation from the head channels of a pose."""
    turn.set(float(pose[_PITCH]), float(pose[_YAW]), float(pose[_ROLL]))


def turn_eyes(left: RigidTurn, right: RigidTurn, pose: Pose, share: float = 1.0) -> None:
    """Set both eyes' rotations from the eyeLook channels. "In" is towards the nose, so its sign differs per eye.

    share: of the usual rotation, 0..1, for avatars whose eyes bear less.
    """
    for turn, (plus, minus, down, up) in ((left, _LEFT), (right, _RIGHT)):
        yaw = (float(pose[plus]) - float(pose[minus])) * EYE_YAW_RAD * share
        turn.set((float(pose[down]) - float(pose[up])) * EYE_PITCH_RAD * share, yaw, 0.0)
