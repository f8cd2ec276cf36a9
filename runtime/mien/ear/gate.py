"""Makes what is left of the kiosk's own speech quieter still."""

from typing import Final

import numpy as np

from mien.audio.base import Pcm
from mien.core.ear_bus import EAR_BLOCK_FRAMES

SHUT_GAIN: Final = 10 ** (-15 / 20)
_RAMP: Final = np.linspace(0, 1, EAR_BLOCK_FRAMES, endpoint=False, dtype=np.float32)


class EchoGate:
    """Lowers the sound by 15 dB while only the kiosk speaks; moves within one block, without a click.

    AEC3 needs a second or two to learn a room. It passes bursts of the kiosk's speech meanwhile, which a recogniser
    would take for words.
    """

    def __init__(self) -> None:
        self._gain = 1.0

    def process(self, clean: Pcm, *, shut: bool) -> Pcm:
        """One block, int16 (EAR_BLOCK_FRAMES,); the very block while the gate is open."""
        before, self._gain = self._gain, SHUT_GAIN if shut else 1.0
        if before == self._gain == 1.0:
            return clean
        gains = np.float32(before) + _RAMP * np.float32(self._gain - before)
        return np.rint(clean * gains).astype(np.int16)
