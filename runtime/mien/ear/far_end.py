"""What the speaker plays, readable at the time at which it is heard.

Frames of all streams lie on one axis, the position. `FarEnd` says when each block is heard; the reader follows those
readings with a phase-locked loop, so its position moves smoothly although the two cards drift against each other.
"""

from math import floor
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.audio.base import Pcm
from mien.core.ear_bus import EAR_BLOCK_FRAMES, EAR_RATE_HZ, FarEnd
from mien.units import NS_PER_S

FramesF32 = NDArray[np.float32]

RING_FRAMES: Final = 1 << 16
"""4.1 s: more than the voice writes ahead plus what a busy machine delays."""

ASTRAY_FRAMES: Final = RING_FRAMES // 2
"""2 s away from where it is expected: another stream, whatever its number."""

JUMP_FRAMES: Final = 80.0
"""5 ms: errors above it mean that a stream really moved, and the reader moves with it."""

JUMP_BLOCKS: Final = 5
"""How long such an error must last: a single reading may be wrong."""

MAX_DRIFT: Final = 1e-3
"""Of the cards against each other; crystals stay within a third of it."""

HALF_TAPS: Final = 16
PHASES: Final = 256
"""Filters between two frames: the error of the nearest is 50 dB below speech."""

_TAPS: Final = np.arange(1 - HALF_TAPS, HALF_TAPS + 1, dtype=np.float64)
_SPAN: Final = EAR_BLOCK_FRAMES + 2 * HALF_TAPS - 1
_SPAN_RANGE: Final = np.arange(_SPAN)
_RAMP: Final = np.arange(EAR_BLOCK_FRAMES, dtype=np.float32) / EAR_BLOCK_FRAMES

# The loop starts fast, so that the first words are aligned, and slows down as its estimate of the drift settles.
FAST_RAD_S: Final = 1.5
SLOW_RAD_S: Final = 0.15
SETTLE_S: Final = 4.0
_BLOCK_S: Final = EAR_BLOCK_FRAMES / EAR_RATE_HZ


class FarEndBuffer:
    """The newest 4 s of the far end. A position counts frames from the first block on, over all streams."""

    def __init__(self) -> None:
        self._ring = np.zeros(RING_FRAMES, np.float32)
        self._stream: int | None = None
        self._base = 0
        self._end = 0
        self._last = 0.0
        self._last_ns = 0
        self._sound_end = 0
        self.lost_frames = 0

    @property
    def known(self) -> bool:
        """Whether any block has come."""
        return self._stream is not None

    @property
    def end(self) -> int:
        """The position after the newest frame."""
        return self._end

    @property
    def end_ns(self) -> int:
        """When the newest frame has been heard."""
        return self._last_ns + round((self._end - self._last) * NS_PER_S / EAR_RATE_HZ)

    def position_at(self, at_ns: int) -> float:
        """The position heard at at_ns, by the newest block's reading."""
        return self._last + (at_ns - self._last_ns) * (EAR_RATE_HZ / NS_PER_S)

    def write(self, message: FarEnd, pcm: Pcm | None, predicted: float) -> bool:
        """Add a block. pcm: int16 (N,), None for silence. predicted: the reader's position of its first frame.

        A new stream is placed where the reader expects it, so that the reader need not move. Returns whether a new
        stream began.
        """
        astray = abs(self._base + message.offset - predicted) > ASTRAY_FRAMES
        begins = message.stream != self._stream or astray  # a voice that was restarted counts from 1 again
        if begins:
            self._stream = message.stream
            first = round(predicted)
            self._base = first - message.offset
            self._end = min(self._end, first)  # what the old stream still held is never heard
            self._sound_end = min(self._sound_end, first)
        at = self._base + message.offset
        self._last, self._last_ns = float(at), message.at_ns
        if at > self._end:
            if not begins:
                self.lost_frames += at - self._end
            self._silence(self._end, at)
        frames = message.frames if pcm is None else len(pcm)
        if pcm is None:
            self._silence(at, at + frames)
        else:
            self._store(at, pcm)
            self._sound_end = max(self._sound_end, at + frames)
        self._end = max(self._end, at + frames)
        return begins

    def read(self, position: float, step: float) -> tuple[FramesF32 | None, int]:
        """One block from a fractional position on, float32 (EAR_BLOCK_FRAMES,), or None if nothing can be heard in it.

        step: frames per frame, about 1. Returns the block with how many of its frames had not come in time; they are
        silent.
        """
        whole = floor(position)
        first = whole + 1 - HALF_TAPS
        missing = min(_SPAN, max(0, first + _SPAN - self._end))
        late = min(EAR_BLOCK_FRAMES, missing)
        if first >= self._sound_end:
            return None, late
        span = self._ring.take(_SPAN_RANGE + first, mode="wrap")
        if missing:
            span[_SPAN - missing :] = 0.0
        forgotten = min(_SPAN, max(0, self._end - RING_FRAMES - first, -first))
        if forgotten:
            span[:forgotten] = 0.0
        now = round((position - whole) * PHASES)
        then = round((position - whole + EAR_BLOCK_FRAMES * (step - 1.0)) * PHASES)
        block = np.convolve(span, _FILTERS[now], "valid")
        if then != now:  # the fraction moves by less than a frame: between two filters the change is linear
            block += (np.convolve(span, _filter(then), "valid") - block) * _RAMP
        return block, late

    def _store(self, at: int, pcm: Pcm) -> None:
        pcm = pcm[-RING_FRAMES:]
        start = at % RING_FRAMES
        until = min(RING_FRAMES, start + len(pcm))
        self._ring[start:until] = pcm[: until - start]
        self._ring[: len(pcm) - (until - start)] = pcm[until - start :]

    def _silence(self, at: int, until: int) -> None:
        at = max(at, until - RING_FRAMES)
        start, count = at % RING_FRAMES, until - at
        self._ring[start : start + count] = 0.0
        if start + count > RING_FRAMES:
            self._ring[: start + count - RING_FRAMES] = 0.0


class Reader:
    """Follows the far end with a phase-locked loop: its position moves by `step` frames a frame, never by a jump.

    Only an error above 5 ms that lasts, a new start or a gap moves it at once. drift_ppm: of the speaker's card against
    the microphone's. jumps: how often it moved at once.
    """

    def __init__(self) -> None:
        self._position = 0.0
        self._at_ns = 0
        self._step = 1.0
        self._blocks = 0
        self._astray = 0
        self._locked = False
        self.drift = 0.0
        self.jumps = 0

    @property
    def drift_ppm(self) -> float:
        """Of the speaker's card against the microphone's, in ppm."""
        return self.drift * 1e6

    @property
    def locked(self) -> bool:
        """Whether it follows a stream."""
        return self._locked

    def predicted(self, at_ns: int) -> float:
        """The position that it will read at at_ns."""
        if not self._locked:
            return 0.0
        return self._position + (at_ns - self._at_ns) * (EAR_RATE_HZ / NS_PER_S)

    def restart_at(self, at_ns: int, position: float) -> None:
        """Move at once: the first block of all, or a step in the delay. The drift stays known."""
        self._position, self._at_ns, self._locked = position, at_ns, True
        self._astray = 0

    def shift(self, frames: float) -> None:
        """Move by `frames` at once, because the delay was wrong."""
        self._position += frames

    def resume(self, at_ns: int) -> None:
        """Captured sound was lost: continue at the time of the next block."""
        self._position, self._at_ns = self.predicted(at_ns), at_ns

    def advance(self, at_ns: int, target: float | None) -> tuple[float, float]:
        """Where to read the block that begins at at_ns, with the step. target: the position by the readings, or None.

        The drift is part of the step, so a steady drift leaves no steady error.
        """
        if target is not None:
            self._correct(target - self._position)
        else:
            self._step = 1.0 + self.drift
        position, step = self._position, self._step
        self._position += EAR_BLOCK_FRAMES * step
        self._at_ns = at_ns + round(_BLOCK_S * NS_PER_S)
        return position, step

    def _correct(self, error: float) -> None:
        if abs(error) > JUMP_FRAMES:
            self._astray += 1
            if self._astray >= JUMP_BLOCKS:
                self._position += error
                self.jumps += 1
                self._astray = 0
            self._step = 1.0 + self.drift
            return
        self._astray = 0
        self._blocks += 1
        speed = max(SLOW_RAD_S, FAST_RAD_S / (1.0 + self._blocks * _BLOCK_S / SETTLE_S))
        # A second-order loop with damping 1: proportional 2w, integral w squared, in frames a frame.
        self.drift += speed * speed * error * _BLOCK_S / EAR_RATE_HZ
        self.drift = min(MAX_DRIFT, max(-MAX_DRIFT, self.drift))
        self._step = 1.0 + self.drift + 2.0 * speed * error / EAR_RATE_HZ


def _delay_filter(fraction: float) -> FramesF32:
    """A windowed sinc that reads `fraction` frames after the span's frame HALF_TAPS - 1. Reversed, for convolve."""
    distance = _TAPS - fraction
    taps = np.sinc(distance) * np.cos(distance * (np.pi / (2 * HALF_TAPS + 2))) ** 2
    return np.asarray((taps / taps.sum())[::-1], np.float32)


_FILTERS: Final = tuple(_delay_filter(phase / PHASES) for phase in range(PHASES + 1))


def _filter(phase: int) -> FramesF32:
    """Of any phase, those before and after the table included."""
    return _FILTERS[phase] if 0 <= phase <= PHASES else _delay_filter(phase / PHASES)
