"""Frame timing: when a frame is worth drawing, how long drawing takes. Pure."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.core.pose import CHANNEL_COUNT, CHANNEL_INDEX, Pose, new_pose
from mien.units import NS_PER_S

# The smallest visible movement, about a pixel of a screen 1280 high; in units of the framed height.
STEP: Final = 1.0 / 1100.0
_FINE_STEP: Final = STEP / 4  # during fast movements, where a skipped frame is visible
LONGEST_NS: Final = NS_PER_S  # without a frame: window events are polled with each, and slow changes add up
COST_STEP: Final = 0.08  # of the estimate, per frame: a lasting change takes a few dozen frames, an outlier does little


def _travel() -> NDArray[np.float32]:
    """How far each channel at 1 moves the image, in framed heights: the shipped avatar's values or a little more."""
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
    """Decides at every step whether to draw the pose, and when to step again: at the full rate during fast movement.

    rest_ns: how long after the last step nothing needs attention; 0 at the full rate.
    """

    def __init__(self, *, full_ns: int, idle_fps: float) -> None:
        """full_ns: the display's period. idle_fps: steps per second without fast movement; 0 draws every frame."""
        self._full_ns = full_ns
        self._idle_ns = round(NS_PER_S / idle_fps) if idle_fps > 0 else 0
        self.rest_ns = 0
        self._rested = False
        self._drawn, self._previous = new_pose(), new_pose()
        self._drawn_ns: int | None = None
        self._stepped_ns = 0
        self._scratch = new_pose()

    def should_draw(self, visible_ns: int, pose: Pose, *, moves: bool, must: bool, next_move_ns: int) -> bool:
        """Whether to draw this pose, which would be seen at visible_ns.

        moves: a fast movement is in progress. must: draw it regardless of the pose. next_move_ns: when the next
        spontaneous fast movement begins.
        """
        if not self._idle_ns:
            return True
        passed_ns = max(1, visible_ns - self._stepped_ns)
        speed = self._travelled(pose, self._previous) / passed_ns
        left_out = self._travelled(pose, self._drawn)
        np.copyto(self._previous, pose)
        self._stepped_ns = visible_ns
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
        """Time until the next visible step at this speed (heights per ns), at most the idle interval."""
        rest_ns = self._idle_ns if speed * self._idle_ns < STEP - left_out else round((STEP - left_out) / speed)
        rest_ns = min(rest_ns, until_move_ns)
        return rest_ns if rest_ns > self._full_ns else 0

    def _travelled(self, pose: Pose, since: Pose) -> float:
        np.subtract(pose, since, out=self._scratch)
        np.multiply(self._scratch, TRAVEL, out=self._scratch)
        np.abs(self._scratch, out=self._scratch)
        return float(self._scratch.max())


class DrawCost:
    """Running median of the time a frame takes to draw, so that a pose matches the refresh at which it will appear."""

    def __init__(self) -> None:
        self._estimate_ns = 0.0

    @property
    def estimate_ns(self) -> int:
        """Expected cost of the next frame."""
        return round(self._estimate_ns)

    def observe(self, cost_ns: int) -> None:
        """Take one measurement in; the estimate moves towards it by at most COST_STEP."""
        if not self._estimate_ns:
            self._estimate_ns = float(cost_ns)
        step = COST_STEP * self._estimate_ns
        self._estimate_ns += min(max(cost_ns - self._estimate_ns, -step), step)
