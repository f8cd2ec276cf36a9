"""Speech motion as shown: the timeline's pose while speech is heard, a smooth return to rest otherwise."""

import math

import numpy as np

from mien.core.pose import Pose, new_pose
from mien.units import NS_PER_MS

SETTLE_NS = 80_000_000  # shuts an interrupted mouth within 150 ms, including bus latency and two frames
MOST_HEAD_START_NS = 40_000_000  # one frame at 25 Hz: after a longer gap, a head start would look like a jump
_LOST_NS = 500 * NS_PER_MS


class SpeechMotion:
    """Inertial blending: when the source changes, the difference from what was shown is kept and fades out.

    One mechanism covers turn ends, interruptions (a new epoch), and joining mid-sentence.
    """

    def __init__(self) -> None:
        self._shown = new_pose()
        self._residual = new_pose()
        self._since_ns = self._last_ns = 0
        self._source: tuple[int, bool] = (-1, False)
        self._scratch = new_pose()

    def step(self, now_ns: int, *, epoch: int, live: bool, target: Pose, out: Pose) -> None:
        """Write the pose to show at now_ns into out.

        target: the timeline's pose, read only when live; otherwise the rest pose is the target. All poses are float32
        (CHANNEL_COUNT,).
        """
        if live:
            out[:] = target
        else:
            out.fill(0.0)
        if (epoch, live) != self._source:
            self._source = (epoch, live)
            np.subtract(self._shown, out, out=self._residual)
            # `_shown` was on the screen at the last frame, so the blend has been under way since then.
            self._since_ns = max(self._last_ns, now_ns - MOST_HEAD_START_NS)
        self._last_ns = now_ns
        share = self._fade(now_ns)
        if share > 0.0:
            np.multiply(self._residual, share, out=self._scratch)
            out += self._scratch
        self._shown[:] = out

    def _fade(self, now_ns: int) -> float:
        done = (now_ns - self._since_ns) / SETTLE_NS
        return 0.5 + 0.5 * math.cos(math.pi * done) if 0.0 <= done < 1.0 else float(done < 0.0)


class MotionWatch:
    """lost: speech has been playing without motion for half a second."""

    def __init__(self) -> None:
        self.lost = False
        self._since_ns: int | None = None

    def step(self, now_ns: int, *, speaking: bool, live: bool) -> None:
        """Call once a frame. speaking: speech is playing. live: motion exists for it."""
        if live or not speaking:
            self._since_ns, self.lost = None, False
            return
        if self._since_ns is None:
            self._since_ns = now_ns
        self.lost = now_ns - self._since_ns >= _LOST_NS
