"""Applies volume; joins speech with filler without a click."""

import numpy as np
from numpy.typing import NDArray

from mien.audio.base import Pcm
from mien.audio.fade import fade_out, falling

Gains = NDArray[np.float32]


class Mixer:
    """Works in place on int16 blocks with a scratch buffer of its own.

    A join is where speech meets filler in mid-turn. The step from the last sample to silence becomes a short decay, and
    speech that continues after filler fades in over the same time, however short the blocks are. No sample is dropped.
    after_filler: whether filler was prepared last.
    """

    def __init__(self, fade_frames: int, max_frames: int) -> None:
        self._fall = falling(fade_frames)
        self._rise = self._fall[::-1]
        self._scratch = np.zeros(max_frames, dtype=np.float32)
        self._last = 0
        self._tail_done = self._rise_done = fade_frames
        self.after_filler = False
        self._volume = Ramp()
        self._duck = Ramp()

    @property
    def fade_frames(self) -> int:
        """The length of a fade at a join."""
        return len(self._fall)

    def set_volume(self, gain: float, fade_frames: int) -> None:
        """Fade to a gain of 0..1 over fade_frames."""
        self._volume.reach(gain, fade_frames)

    def duck(self, gain: float, fade_frames: int) -> None:
        """Fade to another gain of 0..1, which multiplies the volume."""
        self._duck.reach(gain, fade_frames)

    def speech(self, pcm: Pcm, *, joins: bool) -> None:
        """Prepare speech. joins: it continues after filler in mid-turn."""
        self.after_filler = False
        if joins:
            self._rise_done = 0
        self._fade_in(pcm)
        self._apply(self._volume, pcm)
        self._apply(self._duck, pcm)
        if len(pcm):
            self._last = int(pcm[-1])
            self._tail_done = 0

    def filler(self, pcm: Pcm) -> None:
        """Fill with silence, after a decay from the last sample of speech."""
        pcm[:] = 0
        self.after_filler = True
        self._rise_done = fade_frames = len(self._fall)  # the next speech() says whether it joins
        count = min(len(pcm), fade_frames - self._tail_done)
        if count > 0:
            if self._last:
                np.multiply(
                    self._fall[self._tail_done : self._tail_done + count], self._last, out=pcm[:count], casting="unsafe"
                )
            self._tail_done += count

    def fade_out(self, pcm: Pcm) -> None:
        """Fade the whole block out."""
        fade_out(pcm, len(pcm))

    def _fade_in(self, pcm: Pcm) -> None:
        """Apply the next part of a fade-in that a join began."""
        count = min(len(pcm), self.fade_frames - self._rise_done)
        if count > 0:
            self._multiply(pcm[:count], self._rise[self._rise_done : self._rise_done + count])
            self._rise_done += count

    def _apply(self, ramp: "Ramp", pcm: Pcm) -> None:
        if not ramp.unity and len(pcm):
            self._multiply(pcm, ramp.next(len(pcm)))

    def _multiply(self, pcm: Pcm, gains: Gains) -> None:
        scratch = self._scratch[: len(pcm)]
        np.multiply(pcm, gains, out=scratch)
        np.copyto(pcm, scratch, casting="unsafe")


class Ramp:
    """A gain that moves to its target in equal steps, one a frame."""

    def __init__(self) -> None:
        self._gain = self._target = 1.0
        self._step = 0.0

    @property
    def unity(self) -> bool:
        """Whether it changes nothing."""
        return self._gain == self._target == 1.0

    def reach(self, gain: float, frames: int) -> None:
        """Move to a gain of 0..1 over so many frames."""
        self._target = gain
        self._step = (gain - self._gain) / max(1, frames)

    def next(self, frames: int) -> Gains:
        """The gains of the next frames, float32 (frames,)."""
        steps = np.arange(1, frames + 1, dtype=np.float32)
        low, high = sorted((self._gain, self._target))
        gains: Gains = np.clip(self._gain + self._step * steps, low, high)
        self._gain = self._target if not self._step else float(gains[-1])
        return gains
