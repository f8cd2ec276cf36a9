"""Mouth arbitration: speech against expression, derived from the speech pose."""

import math

import numpy as np

from mien.core.pose import CHANNEL_INDEX, SPEECH_INDICES, Pose
from mien.face.behaviour.curves import clamp01, smoothstep

# How long speech takes to take over the mouth from an emotion; an instant change would be visible.
_TAKE_S = 0.08
# Speech keeps the mouth this long after its last movement, then releases it slowly.
_KEEP_S = 0.25
_GIVE_BACK_S = 0.30
# The model's output in silence is not exactly zero.
_STILL = 0.03
# Openness at which the lips begin to part, are fully apart, and the mouth is wide open.
_PARTING = 0.04
_APART = 0.25
_WIDE = 0.6

_JAW, _CLOSE, _FUNNEL = (CHANNEL_INDEX[name] for name in ("jawOpen", "mouthClose", "mouthFunnel"))
_LOWER = (CHANNEL_INDEX["mouthLowerDownLeft"], CHANNEL_INDEX["mouthLowerDownRight"])
_UPPER = (CHANNEL_INDEX["mouthUpperUpLeft"], CHANNEL_INDEX["mouthUpperUpRight"])
_PUCKER = CHANNEL_INDEX["mouthPucker"]


class MouthHold:
    """Updated once a frame by at().

    hold: 0..1, how far speech controls the mouth. apart: 0..1, how freely other movements may open the lips. rounded,
    opened: 0..1, lip rounding and opening by speech.
    """

    def __init__(self) -> None:
        self.hold = 0.0
        self.apart = 1.0
        self.rounded = 0.0
        self.opened = 0.0
        self._channels = np.zeros(len(SPEECH_INDICES), dtype=np.float32)
        self._last_s = 0.0
        self._moved_s = -math.inf

    def at(self, now_s: float, speech: Pose, speaking: bool) -> None:
        """Update from the speech pose. speaking: the state; speech then keeps the mouth even while it is at rest."""
        duration_s = max(0.0, now_s - self._last_s)
        self._last_s = max(now_s, self._last_s)
        np.take(speech, SPEECH_INDICES, out=self._channels, mode="clip")
        if float(self._channels.max()) > _STILL:
            self._moved_s = now_s
        held = speaking or now_s - self._moved_s < _KEEP_S
        self.hold = clamp01(self.hold + (duration_s / _TAKE_S if held else -duration_s / _GIVE_BACK_S))
        openness = _openness(speech)
        self.apart = 1.0 - self.hold + self.hold * smoothstep((openness - _PARTING) / (_APART - _PARTING))
        self.opened = clamp01(openness / _WIDE)
        self.rounded = clamp01(float(speech[_PUCKER]) + float(speech[_FUNNEL]))


def _openness(speech: Pose) -> float:
    lips = float(speech[_LOWER[0]]) + float(speech[_LOWER[1]]) + float(speech[_UPPER[0]]) + float(speech[_UPPER[1]])
    return float(speech[_JAW]) - float(speech[_CLOSE]) + 0.3 * lips + 0.3 * float(speech[_FUNNEL])
