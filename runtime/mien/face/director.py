"""The director: combines all movements of the face into one pose.

Speech controls the mouth. Everything else is blended around it. Every movement is a function of time and of a seeded
draw made when the movement begins, so that the same seed and calls give the same performance at any frame rate.
"""

import math
import random
from typing import Final

import numpy as np

from mien.core.pose import CHANNEL_INDEX, SHAPE_COUNT, SPEECH_INDICES, Pose, new_pose
from mien.face.behaviour.blink import Blinker
from mien.face.behaviour.body import Breath, Posture
from mien.face.behaviour.curves import Fade, Spring, clamp01, minimum_jerk
from mien.face.behaviour.expressions import (
    EMOTION_POSES,
    EMOTION_VIGOUR,
    EMOTIONS,
    OPENING_INDICES,
    STATE_POSES,
    STATE_STYLES,
    STATES,
    StateStyle,
)
from mien.face.behaviour.gaze import STYLES, Gaze
from mien.face.behaviour.gestures import GESTURES, Gestures, length_s
from mien.face.behaviour.mouth_hold import MouthHold
from mien.face.behaviour.prosody_gestures import ProsodyGestures
from mien.motion.prosody import ProsodyFrames
from mien.render.transform import EYE_PITCH_RAD, EYE_YAW_RAD
from mien.units import NS_PER_S

_EMOTION_FADE_S: Final = 0.4
# Smiles and frowns give way by these shares where speech rounds, presses or opens the lips.
_YIELD_TO_ROUNDING: Final = 0.7
_YIELD_TO_CLOSURE: Final = 0.35
_YIELD_TO_OPENING: Final = 0.35
_PHRASE_END_BLINKS: Final = 0.75
# A phrase that ends with a pitch rise of at least this much is treated as a question.
_ASKING_RISE: Final = 0.5
_VIGOUR_RATE: Final = 5.0
_BREATH_LIFTS_HEAD_RAD: Final = 0.006
# After a turn of either side the eyes stay on the viewer this long: the other one may speak now.
_LOOKS_ON_S: Final = (2.0, 3.0)
# A customer who was silent for less goes on with what they were saying; that needs no second nod.
_SPEAKS_ANEW_AFTER_S: Final = 2.0
_MOST_HEAD_RAD: Final = 0.5

_PITCH, _YAW, _ROLL, _BREATH = (CHANNEL_INDEX[name] for name in ("headPitch", "headYaw", "headRoll", "breath"))
_SIDES: Final = tuple(
    tuple(CHANNEL_INDEX[name + side] for name in ("eyeBlink", "eyeWide", "eyeLookDown", "eyeLookUp", *across))
    for side, across in (("Left", ("eyeLookOut", "eyeLookIn")), ("Right", ("eyeLookIn", "eyeLookOut")))
)
_OTHER_MOUTH_INDICES: Final = np.setdiff1d(SPEECH_INDICES, OPENING_INDICES)


class Director:
    """The behaviour of one face. Times are CLOCK_MONOTONIC in ns and must not decrease.

    The attributes are as of the last compose(). presence: 1 in full colour .. 0 dim and grey. busy, moves: whether the
    full frame rate is needed, for speech and requested gestures or changes (busy), or for spontaneous blinks and
    saccades (moves). Slow movements (breath, posture, head following the eyes, spontaneous gestures) count as neither:
    the distance they cover decides how many frames they get.
    """

    def __init__(self, *, seed: int) -> None:
        """seed: of every random draw."""
        self._started_ns: int | None = None
        self._state = "idle"
        self._expression, self._emotion = Fade(), Fade()
        self._expression.to(STATE_POSES["idle"], 0.0, 0.0)
        self._blinker = Blinker(random.Random(f"{seed} blink"))
        self._gaze = Gaze(random.Random(f"{seed} gaze"))
        self._posture = Posture(random.Random(f"{seed} posture"))
        # The suffixes are part of the seed: changing one changes every performance.
        self._phrases, self._asides = (random.Random(f"{seed} {what}") for what in ("phrases", "asides"))
        self._attending = random.Random(f"{seed} attention")
        self._cospeech = ProsodyGestures(random.Random(f"{seed} delivery"))
        self._breath, self._gestures, self._mouth = Breath(), Gestures(), MouthHold()
        self._vigour, self._vigour_wanted = Spring(_VIGOUR_RATE), 1.0
        self._vigour.value = 1.0
        self._last_s = 0.0
        self._next_aside_s = self._pause_s(STATE_STYLES["idle"])
        self.presence = 1.0
        self._presence_from = 1.0
        self._entered_s = -math.inf
        self._changes_until_s = -math.inf
        self._customer = self._nods = False
        self._customer_until_s = -math.inf
        self.busy = self.moves = False
        self._accent = new_pose()
        self._openers = np.zeros(len(OPENING_INDICES), dtype=np.float32)
        self._others = np.zeros(len(_OTHER_MOUTH_INDICES), dtype=np.float32)

    def set_emotion(self, name: str, intensity: float, now_ns: int) -> None:
        """Fade to an emotion of EMOTIONS at intensity 0..1. Raises ValueError for other names or intensities."""
        if name not in EMOTION_POSES:
            raise ValueError(f"unknown emotion {name!r}; choose one of {', '.join(EMOTIONS)}")
        if not 0.0 <= intensity <= 1.0:
            raise ValueError(f"intensity {intensity} of emotion {name} is not in 0..1")
        now_s = self._seconds(now_ns)
        self._emotion.to(EMOTION_POSES[name], now_s, _EMOTION_FADE_S, intensity)
        self._changes_until_s = max(self._changes_until_s, now_s + _EMOTION_FADE_S)
        self._vigour_wanted = 1.0 + intensity * (EMOTION_VIGOUR[name] - 1.0)

    def play_gesture(self, name: str, now_ns: int) -> None:
        """Start a gesture of GESTURES. Raises ValueError for other names."""
        if name not in GESTURES:
            raise ValueError(f"unknown gesture {name!r}; choose one of {', '.join(GESTURES)}")
        self._start(name, self._seconds(now_ns))

    def look_at(self, x: float | None, y: float | None, now_ns: int) -> None:
        """Look at a point: x -1 (viewer's left) .. 1, y -1 (down) .. 1; None for either returns to free gaze.

        Raises ValueError for values out of range.
        """
        for value in (x, y):
            if value is not None and not -1.0 <= value <= 1.0:
                raise ValueError(f"look_at: {value} is not in -1..1")
        self._gaze.hold(x, y, self._seconds(now_ns))

    def hear(self, customer: bool, now_ns: int) -> None:
        """Tell whether the customer speaks: the eyes stay on the viewer, and a face that listens nods once."""
        if customer == self._customer:
            return
        now_s = self._seconds(now_ns)
        self._customer = customer
        self._nods = customer and now_s - self._customer_until_s > _SPEAKS_ANEW_AFTER_S
        if customer:
            self._gaze.attend(now_s, math.inf)
        else:
            self._customer_until_s = now_s
            self._look_on(now_s)

    def compose(self, now_ns: int, state: str, speech: Pose, out: Pose, prosody: ProsodyFrames | None = None) -> None:
        """Write the complete pose at now_ns into out, float32 (CHANNEL_COUNT,).

        state: one of STATES. speech: the motion engine's pose, all channels; not changed. prosody: the channels of
        motion/prosody.py, float32 (5,); None without audible speech. Raises ValueError for other states.
        """
        now_s = self._seconds(now_ns)
        if state != self._state:
            self._enter(state, now_s)
        if self._nods and state == "listening":
            self._nods = False
            self._start("attend", now_s)
        style = STATE_STYLES[self._state]  # type: ignore[index]
        self._mouth.at(now_s, speech, state == "speaking")
        self._cospeech.at(now_s, prosody, self._vigour.step(self._vigour_wanted, max(0.0, now_s - self._last_s)))
        self._last_s = max(now_s, self._last_s)
        self._react(now_s, style)
        self._gaze.at(now_s, STYLES[self._state])
        if self._gaze.turned_far_s is not None:
            self._blinker.blink(self._gaze.turned_far_s, style.blink_s)
        self._lay_accent(now_s)
        np.add(self._accent, speech, out=out)
        self._move_body(now_s, style, out)
        np.clip(out[:SHAPE_COUNT], 0.0, 1.0, out=out[:SHAPE_COUNT])
        faded = minimum_jerk((now_s - self._entered_s) / style.enter_s)
        self.presence = self._presence_from + faded * (style.presence - self._presence_from)
        self._set_eyes(self._blinker.at(now_s, style.blink_s), out)
        self.busy = 0.0 < self._mouth.hold < 1.0 or prosody is not None or now_s < self._changes_until_s
        self.moves = self._blinker.moves(now_s) or self._gaze.moves(now_s)

    @property
    def next_move_ns(self) -> int:
        """When the next spontaneous fast movement begins, CLOCK_MONOTONIC. Call compose() first."""
        next_s = min(self._blinker.next_s, self._gaze.next_s, self._next_aside_s)
        return (self._started_ns or 0) + round(next_s * NS_PER_S)

    def _seconds(self, now_ns: int) -> float:
        if self._started_ns is None:
            self._started_ns = now_ns
        return (now_ns - self._started_ns) / NS_PER_S

    def _start(self, gesture: str, now_s: float) -> None:
        self._gestures.play(gesture, now_s)
        self._changes_until_s = max(self._changes_until_s, now_s + length_s(gesture))

    def _look_on(self, now_s: float) -> None:
        self._gaze.attend(now_s, math.inf if self._customer else now_s + self._attending.uniform(*_LOOKS_ON_S))

    def _enter(self, state: str, now_s: float) -> None:
        if state not in STATE_POSES:
            raise ValueError(f"unknown state {state!r}; choose one of {', '.join(STATES)}")
        if self._state == "speaking" and state in ("idle", "listening"):
            self._look_on(now_s)
        elif state in ("thinking", "speaking") and not self._customer:
            self._gaze.release()
        self._state = state
        style = STATE_STYLES[state]  # type: ignore[index]
        self._expression.to(STATE_POSES[state], now_s, style.enter_s)
        self._presence_from, self._entered_s = self.presence, now_s
        self._changes_until_s = max(self._changes_until_s, now_s + style.enter_s)
        self._gaze.stir(now_s)
        self._posture.stir(now_s)
        self._next_aside_s = now_s + self._pause_s(style)

    def _pause_s(self, style: StateStyle) -> float:
        return max(1.2, style.aside_s * self._asides.lognormvariate(0.0, 0.4)) if style.aside else math.inf

    def _react(self, now_s: float, style: StateStyle) -> None:
        cospeech = self._cospeech
        if cospeech.phrase_began:
            self._posture.stir(now_s)
        if cospeech.phrase_ended:
            if self._phrases.random() < _PHRASE_END_BLINKS:
                self._blinker.blink(now_s, style.blink_s)
            if cospeech.rose > _ASKING_RISE:
                self._gestures.play(self._phrases.choice(("ask", "ask, other side")), now_s, cospeech.rose)
        if now_s >= self._next_aside_s:
            self._gestures.play(style.aside, self._next_aside_s, self._asides.uniform(0.6, 1.2))
            self._next_aside_s = max(self._next_aside_s, now_s - 1.0) + self._pause_s(style)

    def _lay_accent(self, now_s: float) -> None:
        """Sum state, emotion and gestures, yielding the mouth as far as speech controls it."""
        accent, mouth = self._accent, self._mouth
        np.add(self._expression.at(now_s), self._emotion.at(now_s), out=accent)
        self._gestures.add_to(accent, now_s)
        self._cospeech.add_to(accent)
        yielded = _YIELD_TO_CLOSURE * (1.0 - mouth.apart) + _YIELD_TO_ROUNDING * mouth.rounded
        yielded += _YIELD_TO_OPENING * mouth.opened
        _scale(accent, OPENING_INDICES, mouth.apart, self._openers)
        _scale(accent, _OTHER_MOUTH_INDICES, 1.0 - clamp01(yielded) * mouth.hold, self._others)

    def _move_body(self, now_s: float, style: StateStyle, out: Pose) -> None:
        self._posture.at(now_s, style.liveliness, style.shift_s)
        breath = self._breath.at(now_s, style.breath_s)
        pitch, yaw, roll = self._posture.angles
        out[_BREATH] = breath
        out[_PITCH] = _limit(float(out[_PITCH]) + pitch + self._gaze.head_pitch - _BREATH_LIFTS_HEAD_RAD * breath)
        out[_YAW] = _limit(float(out[_YAW]) + yaw + self._gaze.head_yaw)
        out[_ROLL] = _limit(float(out[_ROLL]) + roll)

    def _set_eyes(self, closure: float, out: Pose) -> None:
        """Set lids and eyeballs. The eyes compensate for head movement (vestibulo-ocular reflex)."""
        yaw = (self._gaze.yaw - float(out[_YAW])) / EYE_YAW_RAD
        pitch = (self._gaze.pitch - float(out[_PITCH])) / EYE_PITCH_RAD
        for blink, wide, down, up, to_right, to_left in _SIDES:
            shut = float(out[blink])
            shut += (1.0 - shut) * closure
            out[blink] = shut
            out[wide] *= 1.0 - shut
            out[down] = clamp01(pitch)
            # A shut lid covers an eye that looks up only if the eye comes down a little.
            out[up] = clamp01(-pitch) * (1.0 - 0.7 * shut)
            out[to_right] = clamp01(yaw)
            out[to_left] = clamp01(-yaw)


def _limit(angle_rad: float) -> float:
    return max(-_MOST_HEAD_RAD, min(_MOST_HEAD_RAD, angle_rad))


def _scale(pose: Pose, indices: np.ndarray[tuple[int], np.dtype[np.intp]], factor: float, scratch: Pose) -> None:
    np.take(pose, indices, out=scratch, mode="clip")
    np.multiply(scratch, factor, out=scratch)
    pose[indices] = scratch
