"""How often the face is drawn: at the full rate while something moves fast, else as often as it shows. Pure."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.core.pose import CHANNEL_COUNT, CHANNEL_INDEX, Pose, new_pose
from mien.units import NS_PER_S

# What moves less is not seen: about a pixel of a screen 1280 high. In heights of the frame that the avatar fills.
STEP: Final = 1.0 / 1100.0
_FINE_STEP: Final = STEP / 4  # of what moves fast: there a frame that was left out would show
LONGEST_NS: Final = NS_PER_S  # without a frame: the window's events are taken with each, and slow changes add up


def _travel() -> NDArray[np.float32]:
    """How far each channel moves the picture at 1, in heights of the frame: the shipped avatar's, or a little more."""
    travel = np.full(CHANNEL_COUNT, 0.03, dtype=np.float32)
    by_name = {"headPitch": 0.58, "headYaw": 0.30, "headRoll": 0.56, "breath": 0.01, "jawOpen": 0.06}
    for name, index in CHANNEL_INDEX.items():
        if name.startswith("eyeBlink"):
            travel[index] = 0.047
        elif name.startswith("eyeLook"):
            travel[index] = 0.02
        else:
            travel[index] = by_name.get(name, travel[index])
    return travel


TRAVEL: Final = _travel()


class FrameRate:
    """Asked at every look at the face: draw this pose, and when to look again.

    rest_ns: how long nothing need be looked at after the last look; 0: at the full rate. rested: whether any look since
    the last take_rested() was followed by a rest.
    """

    def __init__(self, *, full_ns: int, idle_fps: float) -> None:
        """full_ns: the display's period. idle_fps: looks a second while nothing fast moves; 0 draws every frame."""
        self._full_ns = full_ns
        self._idle_ns = round(NS_PER_S / idle_fps) if idle_fps > 0 else 0
        self.rest_ns = 0
        self._rested = False
        self._drawn, self._looked = new_pose(), new_pose()
        self._drawn_ns: int | None = None
        self._looked_ns = 0
        self._scratch = new_pose()

    def look(self, visible_ns: int, pose: Pose, *, moves: bool, must: bool, next_move_ns: int) -> bool:
        """Whether to draw this pose, which would be seen at visible_ns.

        moves: something fast is under way. must: draw it whatever the pose says. next_move_ns: when something fast
        begins by itself.
        """
        if not self._idle_ns:
            return True
        passed_ns = max(1, visible_ns - self._looked_ns)
        speed = self._travelled(pose, self._looked) / passed_ns
        left_out = self._travelled(pose, self._drawn)
        np.copyto(self._looked, pose)
        self._looked_ns = visible_ns
        overdue = self._drawn_ns is None or visible_ns - self._drawn_ns >= LONGEST_NS
        draw = must or overdue or left_out >= (_FINE_STEP if moves else STEP)
        if draw:
            np.copyto(self._drawn, pose)
            self._drawn_ns, left_out = visible_ns, 0.0
        self.rest_ns = 0 if moves or must else self._rest(speed, left_out, next_move_ns - visible_ns)
        self._rested = self._rested or self.rest_ns > 0
        return draw

    def take_rested(self) -> bool:
        """Whether there was a rest since the last call."""
        rested, self._rested = self._rested, False
        return rested

    def _rest(self, speed: float, left_out: float, until_move_ns: int) -> int:
        """Until a step is reached at this speed, in heights a ns, but no longer than idle looks are apart."""
        rest_ns = self._idle_ns if speed * self._idle_ns < STEP - left_out else round((STEP - left_out) / speed)
        rest_ns = min(rest_ns, until_move_ns)
        return rest_ns if rest_ns > self._full_ns else 0

    def _travelled(self, pose: Pose, since: Pose) -> float:
        np.subtract(pose, since, out=self._scratch)
        np.multiply(self._scratch, TRAVEL, out=self._scratch)
        np.abs(self._scratch, out=self._scratch)
        return float(self._scratch.max())
