"""The engine of the degraded level: without a model, the jaw follows loudness."""

from collections.abc import Sequence

import numpy as np

from mien.core.pose import CHANNEL_INDEX, HEAD_CHANNELS, SHAPE_COUNT
from mien.motion.base import MotionFrames, MotionInfo, Pcm
from mien.motion.features import FULL_SCALE
from mien.motion.framing import StepStream
from mien.motion.guidance import GuideReport, SpokenWord

RATE_HZ = 16_000
FRAME_HZ = 100
HOP = RATE_HZ // FRAME_HZ

# Below this share of the recent peak the mouth is closed: it separates speech from room noise.
QUIET = 0.08
LEAST_PEAK = 0.004
PEAK_KEPT = 0.9985
# The noise floor is the recent minimum, allowed to rise by 10 dB a second. A sound without pauses, such as a fan or a
# mains hum, ends up at the floor and moves nothing.
FLOOR_RISES, FLOOR_START, ABOVE_FLOOR = 1.0116, 0.01, 1.7
OPENING, CLOSING = 0.45, 0.25
JAW_MOST, LIPS_MOST = 0.55, 0.25


class EnvelopeEngine:
    """A MotionEngine driven by loudness: jaw and lips open with the RMS of each 10 ms, relative to the recent peak."""

    def __init__(self) -> None:
        self.info = MotionInfo(backend="envelope", rate_hz=RATE_HZ, frame_hz=FRAME_HZ, lookahead_ms=1000 / FRAME_HZ)
        self.guided = GuideReport()
        self._steps = StepStream(
            self._step, step_samples=HOP, frames_per_step=1, delay_frames=0, width=SHAPE_COUNT + len(HEAD_CHANNELS)
        )
        self._jaw = CHANNEL_INDEX["jawOpen"]
        self._lips = [CHANNEL_INDEX[name] for name in ("mouthLowerDownLeft", "mouthLowerDownRight")]
        self._peak, self._floor, self._open = LEAST_PEAK, LEAST_PEAK * FLOOR_START, 0.0

    def push(self, pcm: Pcm) -> MotionFrames:
        """See MotionEngine.push."""
        return self._steps.push(pcm)

    def flush(self) -> MotionFrames:
        """See MotionEngine.flush."""
        frames = self._steps.flush()
        self.reset()
        return frames

    def guide(self, words: Sequence[SpokenWord]) -> None:
        """See MotionEngine.guide. Loudness needs no text."""

    def reset(self) -> None:
        """See MotionEngine.reset."""
        self._steps.reset()
        self._peak, self._floor, self._open = LEAST_PEAK, LEAST_PEAK * FLOOR_START, 0.0

    def _step(self, pcm: Pcm, out: MotionFrames) -> None:
        samples = pcm.astype(np.float64)
        loudness = float(np.sqrt(samples.var())) / FULL_SCALE
        self._peak = max(LEAST_PEAK, self._peak * PEAK_KEPT, loudness)
        self._floor = min(loudness, max(self._floor * FLOOR_RISES, self._peak * FLOOR_START))
        quiet = QUIET + ABOVE_FLOOR * self._floor / self._peak
        wanted = max(0.0, loudness / self._peak - quiet) / (1 - QUIET) if loudness > LEAST_PEAK / 2 else 0.0
        self._open += (OPENING if wanted > self._open else CLOSING) * (wanted - self._open)
        if self._open < 0.004:
            self._open = 0.0
        out[:] = 0
        out[:, self._jaw] = JAW_MOST * self._open
        out[:, self._lips] = LIPS_MOST * self._open
