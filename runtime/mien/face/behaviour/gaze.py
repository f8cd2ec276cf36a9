"""Gaze: fixations, the saccades between them, head movement that follows the eyes.

Directions are in radians as seen by the viewer: yaw positive to the viewer's right, pitch positive down; (0, 0) looks
at the viewer.
"""

import math
import random
from dataclasses import dataclass
from typing import Final

from mien.face.behaviour.curves import Spring, minimum_jerk

# Duration of a saccade: 21 ms plus 2.2 ms per degree (Carpenter, Movements of the Eyes, 1988).
_SACCADE_S = 0.021
_SACCADE_S_PER_RAD = math.degrees(0.0022)
# The head joins gaze shifts of more than a few degrees, later and more slowly (Freedman, 2008).
_HEAD_SHARE = 0.4
_HEAD_DEAD_RAD = math.radians(4.0)
_HEAD_RATE = 6.5
# The direction of look_at() at 1: comfortable with the head's help.
LOOK_AT_YAW_RAD = math.radians(32.0)
LOOK_AT_PITCH_RAD = math.radians(22.0)
# Larger gaze shifts come with a blink (Evinger et al., 1994).
BLINK_TURN_RAD = math.radians(13.0)
_FORGOTTEN_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GazeStyle:
    """Gaze statistics of one state, in degrees.

    fixation_s: median duration. away: share of fixations off the viewer. yaw, pitch: range of those; yaw to either
    side when `either_side`. about: spread of fixations on the viewer, between eyes and mouth.
    """

    fixation_s: float
    away: float
    yaw: tuple[float, float] = (0.0, 0.0)
    pitch: tuple[float, float] = (0.0, 0.0)
    either_side: bool = True
    about: float = 1.3


STYLES: Final[dict[str, GazeStyle]] = {
    "idle": GazeStyle(fixation_s=2.1, away=0.5, yaw=(6.0, 19.0), pitch=(-3.0, 9.0)),
    "listening": GazeStyle(fixation_s=1.1, away=0.04, yaw=(4.0, 7.0), pitch=(0.0, 4.0)),
    "thinking": GazeStyle(fixation_s=1.4, away=1.0, yaw=(11.0, 20.0), pitch=(-16.0, -9.0), either_side=False),
    "speaking": GazeStyle(fixation_s=1.2, away=0.2, yaw=(5.0, 13.0), pitch=(-2.0, 7.0)),
    "audio_only": GazeStyle(fixation_s=4.0, away=0.15, yaw=(3.0, 8.0), pitch=(2.0, 6.0)),
    "paused": GazeStyle(fixation_s=2.8, away=0.0, about=0.8),
    "disconnected": GazeStyle(fixation_s=30.0, away=1.0, pitch=(10.0, 10.0), either_side=False),
}


class Gaze:
    """yaw, pitch: gaze direction in space. head_yaw, head_pitch: the head's share of it.

    turned_far_s: when a saccade that calls for a blink began since the previous at(); None for none.
    """

    def __init__(self, source: random.Random) -> None:
        self._random = source
        self.yaw = self.pitch = 0.0
        self.turned_far_s: float | None = None
        self._from = self._to = (0.0, 0.0)
        self._begun_s = 0.0
        self._lasts_s = _SACCADE_S
        self._next_s = 0.5
        self._viewer_until_s = -math.inf
        self._head_s = 0.0
        self._head = (Spring(_HEAD_RATE), Spring(_HEAD_RATE))
        self._held: tuple[float, float] | None = None

    @property
    def head_yaw(self) -> float:
        """Head yaw towards the fixation, in radians."""
        return self._head[0].value

    @property
    def head_pitch(self) -> float:
        """Head pitch towards the fixation, in radians."""
        return self._head[1].value

    @property
    def next_s(self) -> float:
        """When the next saccade begins, unless something triggers one earlier."""
        return self._next_s

    def moves(self, now_s: float) -> bool:
        """Whether a saccade is in progress; the head may follow for longer."""
        return now_s - self._begun_s < self._lasts_s

    def hold(self, x: float | None, y: float | None, now_s: float) -> None:
        """Look at a point in the screen's plane, each -1..1, right and up positive; None returns to free gaze."""
        if x is None or y is None:
            self._held = None
        else:
            self._held = (x * LOOK_AT_YAW_RAD, -y * LOOK_AT_PITCH_RAD)
        self._next_s = min(self._next_s, now_s)

    def attend(self, now_s: float, until_s: float) -> None:
        """Look at the viewer from now_s until until_s; math.inf: until the next call. What hold() was given wins."""
        attends = now_s < self._viewer_until_s
        self._next_s = min(self._next_s, until_s if attends else now_s)
        self._viewer_until_s = until_s

    def release(self) -> None:
        """End attend() with the current fixation."""
        self._viewer_until_s = -math.inf

    def stir(self, now_s: float) -> None:
        """Schedule a new fixation soon, because something changed."""
        self._next_s = min(self._next_s, now_s + self._random.uniform(0.05, 0.2))

    def at(self, now_s: float, style: GazeStyle) -> None:
        """Advance to now_s."""
        self.turned_far_s = None
        if now_s - self._next_s > _FORGOTTEN_S:
            self._next_s = now_s
        while self._next_s <= now_s:
            self._follow_head(self._next_s)
            self._look_elsewhere(self._next_s, style)
        self._follow_head(now_s)
        self.yaw, self.pitch = self._eyes_at(now_s)

    def _look_elsewhere(self, when_s: float, style: GazeStyle) -> None:
        self._from = self._eyes_at(when_s)
        attends = when_s < self._viewer_until_s
        self._to = self._choose(style, attends)
        amplitude = math.hypot(self._to[0] - self._from[0], self._to[1] - self._from[1])
        if amplitude > BLINK_TURN_RAD:
            self.turned_far_s = when_s
        self._begun_s = when_s
        self._lasts_s = _SACCADE_S + _SACCADE_S_PER_RAD * amplitude
        self._next_s = when_s + max(0.25, style.fixation_s * self._random.lognormvariate(0.0, 0.45))
        if attends:
            self._next_s = min(self._next_s, self._viewer_until_s)

    def _choose(self, style: GazeStyle, attends: bool) -> tuple[float, float]:
        draw = self._random
        yaw = draw.gauss(0.0, 0.5) * style.about
        pitch = draw.gauss(0.1, 0.4) * style.about
        if self._held is not None:
            return self._held[0] + math.radians(yaw / 2), self._held[1] + math.radians(pitch / 2)
        if not attends and draw.random() < style.away:
            side = draw.choice((-1.0, 1.0)) if style.either_side else 1.0
            yaw, pitch = side * draw.uniform(*style.yaw), draw.uniform(*style.pitch)
        return math.radians(yaw), math.radians(pitch)

    def _eyes_at(self, now_s: float) -> tuple[float, float]:
        share = minimum_jerk((now_s - self._begun_s) / self._lasts_s)
        return (
            self._from[0] + share * (self._to[0] - self._from[0]),
            self._from[1] + share * (self._to[1] - self._from[1]),
        )

    def _follow_head(self, now_s: float) -> None:
        duration_s = max(0.0, now_s - self._head_s)
        for spring, angle in zip(self._head, self._to, strict=True):
            beyond = max(0.0, abs(angle) - _HEAD_DEAD_RAD)
            spring.step(math.copysign(beyond * _HEAD_SHARE, angle), duration_s)
        self._head_s = max(now_s, self._head_s)
