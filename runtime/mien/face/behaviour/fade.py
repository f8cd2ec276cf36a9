"""One pose turning smoothly into another."""

import numpy as np

from mien.core.pose import Pose, new_pose
from mien.face.behaviour.curves import minimum_jerk


class Fade:
    """A pose on its way to a target. `value` is rewritten in place by at()."""

    def __init__(self) -> None:
        self.value = new_pose()
        self._start = new_pose()
        self._way = new_pose()
        self._begun_s = 0.0
        self._lasts_s = 0.0

    def to(self, target: Pose, now_s: float, lasts_s: float, scale: float = 1.0) -> None:
        """Set out, from wherever the fade is now, for target * scale; arrives after lasts_s."""
        self.at(now_s)
        np.copyto(self._start, self.value)
        np.multiply(target, scale, out=self._way)
        np.subtract(self._way, self._start, out=self._way)
        self._begun_s = now_s
        self._lasts_s = lasts_s

    def at(self, now_s: float) -> Pose:
        """The pose at now_s, which is `value`."""
        share = minimum_jerk((now_s - self._begun_s) / self._lasts_s) if self._lasts_s > 0 else 1.0
        np.multiply(self._way, share, out=self.value)
        np.add(self.value, self._start, out=self.value)
        return self.value
