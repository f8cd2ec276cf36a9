"""Co-speech gestures driven by prosody: nods, brow raises, head lift, cheek raises, phrase boundaries.

Heads nod and brows rise on stressed syllables (Swerts and Krahmer, Journal of Phonetics 36, 2008; Cave et al., "About
the relationship between eyebrow movements and F0 variations", ICSLP 1996). The head follows the pitch (Munhall et al.,
Psychological Science 15, 2004). The amount of each varies from phrase to phrase by a seeded draw.
"""

import random
from typing import Final

from mien.core.pose import CHANNEL_INDEX, Pose
from mien.face.behaviour.curves import Spring
from mien.motion.prosody import PROSODY_CHANNELS, ProsodyFrames

# Radians: the head's descent in the first 0.2 s of a full nod, and its lift half an octave above the mean pitch.
_NOD_RAD: Final = 0.10
_LIFT_RAD: Final = 0.036
_LEAN_RAD: Final = (0.030, 0.022)
_NOD_RATE, _BROW_RATE, _LIFT_RATE, _EFFORT_RATE, _LEAN_RATE = 13.0, 11.0, 5.0, 6.0, 3.0
_BROWS_ON_STRESS: Final = 1.05
_BROWS_ON_PITCH: Final = 0.2
_CHEEKS, _SQUINT = 0.24, 0.10
_SILENT: Final = (0.0,) * len(PROSODY_CHANNELS)

_PITCH_ANGLE, _YAW, _ROLL = (CHANNEL_INDEX[name] for name in ("headPitch", "headYaw", "headRoll"))
_INNER = CHANNEL_INDEX["browInnerUp"]
_OUTER = (CHANNEL_INDEX["browOuterUpLeft"], CHANNEL_INDEX["browOuterUpRight"])
_CHEEK = tuple(CHANNEL_INDEX[f"cheekSquint{side}"] for side in ("Left", "Right"))
_EYE = tuple(CHANNEL_INDEX[f"eyeSquint{side}"] for side in ("Left", "Right"))


class ProsodyGestures:
    """Advanced once a frame by at().

    phrase_began, phrase_ended: true only in the frame that detects it. rose: how far the pitch rose at the end of that
    phrase, 0..1.
    """

    def __init__(self, source: random.Random) -> None:
        self._random = source
        self._nod, self._brows = Spring(_NOD_RATE), Spring(_BROW_RATE)
        self._lift, self._effort = Spring(_LIFT_RATE), Spring(_EFFORT_RATE)
        self._leans = (Spring(_LEAN_RATE), Spring(_LEAN_RATE))
        self._talking = False
        self._rise = self.rose = 0.0
        self.phrase_began = self.phrase_ended = False
        self._last_s = 0.0
        self._begin_phrase()

    def at(self, now_s: float, prosody: ProsodyFrames | None, vigour: float) -> None:
        """Advance to now_s. prosody: the channels of motion/prosody.py, float32 (5,); None without audible speech.

        vigour: scale of the movements, 1 for a calm speaker.
        """
        duration_s = max(0.0, now_s - self._last_s)
        self._last_s = max(now_s, self._last_s)
        stress, pitch, effort, voice, rise = _SILENT if prosody is None else prosody.tolist()
        self._notice(voice > 0.5, rise)
        self._nod.step(stress * self._nodding * vigour, duration_s)
        self._brows.step((stress * self._raising * _BROWS_ON_STRESS + max(0.0, pitch) * _BROWS_ON_PITCH) * vigour,
                         duration_s)  # fmt: skip
        self._lift.step(pitch * vigour, duration_s)
        self._effort.step(effort * vigour, duration_s)
        for spring, lean in zip(self._leans, self._leaning, strict=True):
            spring.step(lean * vigour if self._talking else 0.0, duration_s)

    def add_to(self, pose: Pose) -> None:
        """Add the current movements to a pose."""
        pose[_PITCH_ANGLE] += _NOD_RAD * self._nod.value - _LIFT_RAD * self._lift.value
        pose[_YAW] += self._leans[0].value * (1.0 + 0.8 * self._lift.value)
        pose[_ROLL] += self._leans[1].value
        brows, effort = self._brows.value, self._effort.value
        pose[_INNER] += 0.9 * brows
        for outer, share, cheek, eye in zip(_OUTER, self._sides, _CHEEK, _EYE, strict=True):
            pose[outer] += share * brows
            pose[cheek] += _CHEEKS * effort
            pose[eye] += _SQUINT * effort

    def _notice(self, talking: bool, rise: float) -> None:
        self.phrase_began = talking and not self._talking
        self.phrase_ended = self._talking and not talking
        if self.phrase_began:
            self._begin_phrase()
        if self.phrase_ended:
            self.rose = max(rise, self._rise)
        self._talking, self._rise = talking, rise

    def _begin_phrase(self) -> None:
        draw = self._random
        self._nodding, self._raising = draw.uniform(0.6, 1.2), draw.uniform(0.3, 1.1)
        self._leaning = tuple(draw.uniform(-most, most) for most in _LEAN_RAD)
        left = draw.uniform(0.7, 1.1)
        self._sides = (left, 1.8 - left)
