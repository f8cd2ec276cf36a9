"""A motion engine whose frames encode their origin, for tests of the code around engines."""

import numpy as np

from mien.core.pose import CHANNEL_INDEX
from mien.motion.base import MotionInfo
from mien.motion.guidance import GuideReport

JAW = CHANNEL_INDEX["jawOpen"]


class CountingEngine:
    """jawOpen of frame k is k / 1000; two frames of lookahead. words: what the turn was guided with."""

    def __init__(self, backend="tflite", fail_after=None):
        self.info = MotionInfo(backend=backend, rate_hz=16000, frame_hz=100, lookahead_ms=20.0)
        self._fail_after = fail_after
        self.guided = GuideReport()
        self.reset()

    def guide(self, words):
        self.words += words

    def reset(self):
        self._samples = self._given = 0
        self.words = []

    def push(self, pcm):
        self._samples += len(pcm)
        if self._fail_after is not None and self._samples > self._fail_after:
            raise RuntimeError("the interpreter broke")
        return self._frames(max(0, self._samples // 160 - 2))

    def flush(self):
        frames = self._frames(-(-self._samples // 160))
        self.reset()
        return frames

    def _frames(self, until):
        frames = np.zeros((max(0, until - self._given), 55), np.float32)
        frames[:, JAW] = np.arange(self._given, self._given + len(frames)) / 1000
        self._given += len(frames)
        return frames
