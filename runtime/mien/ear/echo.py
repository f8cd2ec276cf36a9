"""Echo cancellation by WebRTC's AEC3, with noise suppression after it."""

from typing import Final

import numpy as np

from mien.audio.base import Pcm
from mien.config import EarConfig
from mien.core.ear_bus import EAR_RATE_HZ
from mien.errors import EarError

LEVELS: Final = {"low": 0, "moderate": 1, "high": 2, "very_high": 3}
"""Noise suppression by 6, 12, 18 and 21 dB."""

ECHO_LATENCY_FRAMES: Final = 128
NOISE_LATENCY_FRAMES: Final = 96
"""How much later the output is than the input, measured by correlation (tests/ear/test_echo.py)."""

REMEDY: Final = "install the extra: pip install 'mien[ear]'"


class EchoCanceller:
    """Removes the far end from 20 ms blocks. latency_frames: how much later a sound leaves it than it came in."""

    def __init__(self, config: EarConfig) -> None:
        """Raises EarError: the extra mien[ear] is missing."""
        self.latency_frames = 0
        suppresses = config.noise_suppression != "off"
        self._cancels = config.echo_cancellation
        self._passes = not (self._cancels or suppresses or config.gain_control)
        if self._passes:
            return
        try:
            from pywebrtc_audio import AudioProcessor
        except ImportError as error:
            raise EarError(f"echo cancellation needs pywebrtc-audio ({error}); {REMEDY}") from None
        self._processor = AudioProcessor(
            sample_rate=EAR_RATE_HZ,
            num_channels=1,
            echo_cancellation=self._cancels,
            noise_suppression=suppresses,
            ns_level=LEVELS.get(config.noise_suppression, 0),
            auto_gain_control=config.gain_control,
        )
        self.latency_frames = ECHO_LATENCY_FRAMES * self._cancels + NOISE_LATENCY_FRAMES * suppresses

    def process(self, near: Pcm, far: Pcm) -> Pcm:
        """Clean one block, int16 (320,). far: what the speaker played meanwhile, int16 (320,)."""
        if self._passes:
            return near
        if not self._cancels:
            return np.asarray(self._processor.process(near), np.int16)
        return np.asarray(self._processor.process(near, far), np.int16)
