"""A pose: one float32 vector that says where the whole face is at one moment.

Channels 0..51 are the 52 ARKit blend shapes, each in 0..1, in the order of ARKIT_SHAPES. After them come the body
channels: three head angles in radians (pitch: nod, positive looks down; yaw: positive turns to the avatar's left, the
viewer's right; roll: positive tilts to the avatar's left) and breath (0 exhaled .. 1 inhaled).
A vector instead of named fields, because the frame loop blends, interpolates and uploads it without allocating.
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Pose: TypeAlias = NDArray[np.float32]

# Apple, ARFaceAnchor.BlendShapeLocation: the names, grouped as there (eyes, jaw, mouth, brows, cheeks, nose, tongue).
ARKIT_SHAPES: Final = (
    "eyeBlinkLeft", "eyeLookDownLeft", "eyeLookInLeft", "eyeLookOutLeft", "eyeLookUpLeft", "eyeSquintLeft",
    "eyeWideLeft", "eyeBlinkRight", "eyeLookDownRight", "eyeLookInRight", "eyeLookOutRight", "eyeLookUpRight",
    "eyeSquintRight", "eyeWideRight",
    "jawForward", "jawLeft", "jawRight", "jawOpen",
    "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight", "mouthSmileLeft", "mouthSmileRight",
    "mouthFrownLeft", "mouthFrownRight", "mouthDimpleLeft", "mouthDimpleRight", "mouthStretchLeft",
    "mouthStretchRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthPressLeft", "mouthPressRight", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft",
    "mouthUpperUpRight",
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight",
    "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
HEAD_CHANNELS: Final = ("headPitch", "headYaw", "headRoll")
BODY_CHANNELS: Final = (*HEAD_CHANNELS, "breath")
CHANNELS: Final = (*ARKIT_SHAPES, *BODY_CHANNELS)
CHANNEL_COUNT: Final = len(CHANNELS)
SHAPE_COUNT: Final = len(ARKIT_SHAPES)
CHANNEL_INDEX: Final = {name: index for index, name in enumerate(CHANNELS)}

# The mouth, jaw, cheeks and tongue: what speech owns and what must come to rest when speech stops.
SPEECH_SHAPES: Final = tuple(name for name in ARKIT_SHAPES if name.startswith(("jaw", "mouth", "cheekPuff", "tongue")))
SPEECH_INDICES: Final = np.array([CHANNEL_INDEX[name] for name in SPEECH_SHAPES], dtype=np.intp)


def new_pose() -> Pose:
    """A neutral pose: float32, shape (CHANNEL_COUNT,), all zero."""
    return np.zeros(CHANNEL_COUNT, dtype=np.float32)
