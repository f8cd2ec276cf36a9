"""Facial expressions by state or emotion, as channel values. Data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from mien.core.pose import CHANNEL_INDEX, Pose, new_pose

State = Literal["idle", "listening", "thinking", "speaking", "audio_only", "paused", "disconnected"]
Emotion = Literal["neutral", "happy", "sad", "surprised", "angry", "concerned", "excited"]

STATES: Final[tuple[State, ...]] = get_args(State)
EMOTIONS: Final[tuple[Emotion, ...]] = get_args(Emotion)


def _both(**weights: float) -> dict[str, float]:
    """Weights for both sides of the face."""
    return {f"{name}{side}": weight for name, weight in weights.items() for side in ("Left", "Right")}


_STATE_EXPRESSIONS: Final[dict[State, dict[str, float]]] = {
    "idle": {**_both(mouthSmile=0.10, eyeBlink=0.15), "headPitch": 0.012},
    "listening": {
        **_both(mouthSmile=0.22, browOuterUp=0.30, eyeWide=0.26),
        "browInnerUp": 0.38,
        "headPitch": 0.065,
        "headRoll": 0.125,
    },
    "thinking": {
        **_both(eyeSquint=0.22, mouthPress=0.2),
        "browDownRight": 0.32,
        "browInnerUp": 0.12,
        "browOuterUpLeft": 0.42,
        "mouthRight": 0.26,
        "mouthPucker": 0.18,
        "headPitch": -0.07,
        "headYaw": 0.11,
        "headRoll": -0.055,
    },
    "speaking": {**_both(mouthSmile=0.06), "browInnerUp": 0.05},
    "audio_only": {**_both(mouthSmile=0.09, eyeBlink=0.28), "browInnerUp": 0.06, "headPitch": 0.05},
    "paused": {
        **_both(mouthPress=0.45, mouthDimple=0.12, browOuterUp=0.12, eyeBlink=0.08),
        "mouthRollLower": 0.32,
        "mouthRollUpper": 0.22,
        "browInnerUp": 0.34,
        "headPitch": 0.02,
        "headRoll": -0.06,
    },
    "disconnected": {**_both(eyeBlink=1.0), "headPitch": 0.16, "headRoll": 0.03},
}

# After the prototypes of the Facial Action Coding System (Ekman, Friesen and Hager, 2002), well below full strength: on
# a kiosk, overacting is worse than understatement.
_EMOTION_EXPRESSIONS: Final[dict[Emotion, dict[str, float]]] = {
    "neutral": {},
    "happy": {
        **_both(mouthSmile=0.62, cheekSquint=0.45, eyeSquint=0.28, mouthDimple=0.14, browOuterUp=0.10),
        "browInnerUp": 0.08,
    },
    "sad": {
        **_both(mouthFrown=0.68, eyeBlink=0.24, browDown=0.08),
        "browInnerUp": 0.85,
        "mouthShrugLower": 0.35,
        "headPitch": 0.10,
        "headRoll": 0.04,
    },
    "surprised": {
        **_both(browOuterUp=0.75, eyeWide=0.75),
        "browInnerUp": 0.75,
        "jawOpen": 0.2,
        "mouthFunnel": 0.12,
        "headPitch": -0.04,
    },
    "angry": {
        **_both(browDown=1.0, eyeSquint=0.42, noseSneer=0.4, mouthPress=0.4, mouthFrown=0.34),
        "headPitch": 0.05,
    },
    "concerned": {
        **_both(mouthFrown=0.22, mouthPress=0.14, browDown=0.22, eyeSquint=0.1),
        "browInnerUp": 0.62,
        "headPitch": 0.02,
        "headRoll": 0.045,
    },
    "excited": {
        **_both(mouthSmile=0.8, cheekSquint=0.5, browOuterUp=0.48, eyeWide=0.36, mouthUpperUp=0.16),
        "browInnerUp": 0.36,
        "jawOpen": 0.12,
        "headPitch": -0.03,
    },
}

# Scale of co-speech gestures under an emotion, 1 for a calm speaker.
EMOTION_VIGOUR: Final[dict[str, float]] = {
    "neutral": 1.0, "happy": 1.15, "sad": 0.5, "surprised": 1.15, "angry": 1.2, "concerned": 0.75, "excited": 1.45,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class StateStyle:
    """How a face in one state moves.

    enter_s: duration of the transition into the state. blink_s: median time between blinks. breath_s: duration of a
    breath. liveliness: scale of head sway and shifts. shift_s: shortest and longest time between shifts. aside: a
    spontaneous gesture of gestures.TRACKS, "" for none. aside_s: median time between two. presence: 1 in full colour
    .. 0 dim and grey, as if asleep.
    """

    enter_s: float
    blink_s: float
    breath_s: float
    liveliness: float
    shift_s: tuple[float, float] = (5.0, 13.0)
    aside: str = ""
    aside_s: float = 10.0
    presence: float = 1.0


# Blinks: about 17 per minute at rest and 26 in conversation (Bentivoglio et al., 1997); fewer when attentive, more when
# thinking. Breaths: 12 to 16 per minute at rest.
STATE_STYLES: Final[dict[State, StateStyle]] = {
    "idle": StateStyle(enter_s=0.9, blink_s=3.6, breath_s=4.6, liveliness=1.0, aside="warm", aside_s=13.0),
    "listening": StateStyle(enter_s=0.45, blink_s=3.9, breath_s=4.2, liveliness=0.7, aside="attend", aside_s=4.5),
    "thinking": StateStyle(enter_s=0.55, blink_s=2.9, breath_s=4.6, liveliness=0.8, aside="ponder", aside_s=3.2),
    "speaking": StateStyle(enter_s=0.4, blink_s=4.6, breath_s=3.6, liveliness=1.7, shift_s=(1.3, 3.2)),
    "audio_only": StateStyle(enter_s=0.8, blink_s=4.8, breath_s=5.2, liveliness=0.4, presence=0.8),
    "paused": StateStyle(enter_s=0.6, blink_s=5.5, breath_s=5.0, liveliness=0.35, presence=0.55),
    "disconnected": StateStyle(enter_s=1.6, blink_s=3600.0, breath_s=6.5, liveliness=0.2, presence=0.2),
}


def as_pose(weights: Mapping[str, float]) -> Pose:
    """A pose from channel values by name."""
    pose = new_pose()
    for name, value in weights.items():
        pose[CHANNEL_INDEX[name]] = value
    return pose


STATE_POSES: Final[dict[str, Pose]] = {state: as_pose(weights) for state, weights in _STATE_EXPRESSIONS.items()}
EMOTION_POSES: Final[dict[str, Pose]] = {emotion: as_pose(weights) for emotion, weights in _EMOTION_EXPRESSIONS.items()}

# Shapes that part the lips; expressions may not use them while speech keeps the mouth shut.
OPENING_INDICES: Final = np.array(
    [
        CHANNEL_INDEX[name]
        for name in (
            "jawOpen", "jawForward", "mouthFunnel", "mouthPucker", "mouthLowerDownLeft", "mouthLowerDownRight",
            "mouthUpperUpLeft", "mouthUpperUpRight", "mouthShrugUpper", "mouthShrugLower", "mouthStretchLeft",
            "mouthStretchRight", "tongueOut",
        )
    ],
    dtype=np.intp,
)  # fmt: skip
