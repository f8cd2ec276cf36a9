"""Whether the microphone delivers what can be used."""

from typing import Final

import numpy as np

from mien.audio.base import Pcm
from mien.core.ear_bus import EarState

SILENT_BLOCKS: Final = 100
"""2 s without a single bit: no microphone is that quiet."""

CLIPPED: Final = 32_700
CLIP_FRAMES: Final = 8
"""Frames at full scale in one block: a single one may be chance."""

CLIP_BLOCKS: Final = 5
"""Blocks that clip, of the newest CLIP_WINDOW: one slammed door is no wrong gain."""

CLIP_WINDOW: Final = 100
CLIP_HOLD_BLOCKS: Final = 250

REMEDIES: Final = {
    "silent": "the microphone delivers digital silence; check that it is plugged in, not switched off, that [ear] "
    "channel is the right one, and its capture volume: alsamixer",
    "clipping": "the microphone is overdriven; lower its capture volume with alsamixer, or move it away from the "
    "speaker",
}


class InputCheck:
    """Finds digital silence, clipping."""

    def __init__(self) -> None:
        self._silent = 0
        self._clips = np.zeros(CLIP_WINDOW, np.bool_)
        self._at = 0
        self._hold = 0

    def block(self, near: Pcm) -> EarState:
        """Look at the next block. Returns silent, clipping or ok."""
        low, high = int(near.min()), int(near.max())
        self._silent = self._silent + 1 if low == high else 0
        peak = max(high, -low)
        clips = peak >= CLIPPED and int(np.count_nonzero(np.abs(near.astype(np.int32)) >= CLIPPED)) >= CLIP_FRAMES
        self._clips[self._at % CLIP_WINDOW] = clips
        self._at += 1
        if clips and int(self._clips.sum()) >= CLIP_BLOCKS:
            self._hold = CLIP_HOLD_BLOCKS
        self._hold = max(0, self._hold - 1)
        if self._silent >= SILENT_BLOCKS:
            return "silent"
        return "clipping" if self._hold else "ok"
