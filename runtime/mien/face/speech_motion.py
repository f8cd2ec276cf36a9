"""Speech motion as shown: the timeline's pose while speech is heard, rest otherwise, and no jump between the two."""

import math

import numpy as np

from mien.core.pose import Pose, new_pose

SETTLE_NS = 80_000_000  # an interrupted mouth is shut within 150 ms, the way of the news and two pictures included
MOST_HEAD_START_NS = 40_000_000  # a picture at 25 Hz: after a longer gap a head start would be a jump


class SpeechMotion:
    """Inertial blending: when the source changes, the difference to what was shown is kept and let fade.

    One mechanism for turn ends, interruptions (a new epoch), and a face that joins in mid-sentence.
    """

    def __init__(self) -> None:
        self._shown = new_pose()
        self._residual = new_pose()
        self._since_ns = self._last_ns = 0
        self._source: tuple[int, bool] = (-1, False)
        self._scratch = new_pose()

    def step(self, now_ns: int, *, epoch: int, live: bool, target: Pose, out: Pose) -> None:
        """Write what to show at now_ns into out.

        target: the timeline's pose, read only when live; rest is shown otherwise. All are float32 (CHANNEL_COUNT,).
        """
        if live:
            out[:] = target
        else:
            out.fill(0.0)
        if (epoch, live) != self._source:
            self._source = (epoch, live)
            np.subtract(self._shown, out, out=self._residual)
            # What was shown was shown at the last picture: the way from there has been under way since then.
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
