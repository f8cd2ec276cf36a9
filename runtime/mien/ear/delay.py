"""How far the echo lags behind the far end, by generalised cross-correlation with phase transform.

It corrects a wrong delay_ms and finds a microphone that is the speaker's own loopback. C. H. Knapp and G. C. Carter,
"The generalized correlation method for estimation of time delay", 1976.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.audio.base import Pcm
from mien.core.ear_bus import EAR_BLOCK_FRAMES

FRAMES: Final = 16_384
BLOCKS: Final = -(-FRAMES // EAR_BLOCK_FRAMES)
SURE_BLOCKS: Final = 250
UNSURE_BLOCKS: Final = 25
EDGE: Final = 4_096
"""Delays are searched up to 256 ms to either side."""

LOUD: Final = 100.0
"""RMS of the far end that is worth a look: -50 dBFS."""

CLEAR: Final = 6.0
"""How many times the peak must exceed the typical value (RMS) of the correlation."""

SHARP: Final = 0.3
"""Of a peak of 1: lower ones come out of a room."""

AGREE_FRAMES: Final = 16
TAPS: Final = 16
LOOPBACK_REST: Final = 0.002
"""What a short filter may leave of the microphone's sound if there is no room in between: correlation .999."""


class DelayFinder:
    """Looks twice a second until it is sure, every five seconds afterwards.

    lag: frames by which the echo follows the far end as it was read; None unknown. loopback: the microphone's sound is
    the far end, filtered by nothing.
    """

    def __init__(self) -> None:
        self._near = np.zeros((BLOCKS, EAR_BLOCK_FRAMES), np.int16)
        self._far = np.zeros((BLOCKS, EAR_BLOCK_FRAMES), np.int16)
        self._blocks = 0
        self._next = BLOCKS
        self._spectrum: NDArray[np.complex128] | None = None
        self._candidate: int | None = None
        self._agreed = 0
        self._copies = 0
        self.lag: int | None = None

    @property
    def loopback(self) -> bool:
        """Whether the microphone's sound is the speaker's own."""
        return self._copies >= 3

    def block(self, near: Pcm, far: Pcm) -> bool:
        """Add a block. Returns whether `lag` was found anew."""
        at = self._blocks % BLOCKS
        self._near[at] = near
        self._far[at] = far
        self._blocks += 1
        return self._blocks >= self._next and self._look(at + 1)

    def restart(self) -> None:
        """The alignment has changed, or sound was lost: what was seen is void."""
        self._blocks = 0
        self._next = BLOCKS
        self._spectrum = self._candidate = self.lag = None
        self._agreed = 0

    def _look(self, oldest: int) -> bool:
        self._next = self._blocks + (SURE_BLOCKS if self._agreed >= 3 else UNSURE_BLOCKS)
        far = _in_order(self._far, oldest)
        if float(np.sqrt((far * far).mean())) < LOUD:
            return False
        near = _in_order(self._near, oldest)[EDGE:-EDGE]
        lag, height = self._peak(near, far)
        if lag is None:
            return False
        near_again = self._candidate is not None and abs(lag - self._candidate) <= AGREE_FRAMES
        self._agreed = self._agreed + 1 if near_again else 1
        self._candidate = lag
        self._copies = self._copies + 1 if height > SHARP and _is_copy(near, far, lag) else 0
        if self._agreed < 2:
            return False
        self.lag = lag
        return True

    def _peak(self, near: NDArray[np.float32], far: NDArray[np.float32]) -> tuple[int | None, float]:
        padded = np.zeros(FRAMES, np.float32)
        padded[: len(near)] = near
        cross = np.fft.rfft(padded) * np.conj(np.fft.rfft(far))
        self._spectrum = cross if self._spectrum is None else self._spectrum * 0.7 + cross
        weight = np.abs(self._spectrum)
        correlation = np.fft.irfft(self._spectrum / (weight + 1e-3 * weight.mean() + 1e-9))
        # Index k: near[n] matches far[n - k]; near began EDGE later, so lag = k + EDGE, modulo FRAMES.
        inside = np.roll(correlation, 2 * EDGE)[: 2 * EDGE]
        best = int(np.argmax(np.abs(inside)))
        height = float(abs(inside[best]))
        clear = height > CLEAR * float(np.sqrt((inside * inside).mean()))
        return best - EDGE if clear else None, height


def _in_order(ring: Pcm, oldest: int) -> NDArray[np.float32]:
    """The newest FRAMES frames of a ring of blocks."""
    return np.roll(ring, -oldest, axis=0).reshape(-1)[-FRAMES:].astype(np.float32)


def _is_copy(near: NDArray[np.float32], far: NDArray[np.float32], lag: int) -> bool:
    """Whether a filter of TAPS frames around the lag explains the microphone's sound."""
    first = EDGE - lag - TAPS // 2
    if first < 0 or first + len(near) + TAPS > len(far):
        return False
    columns = np.lib.stride_tricks.sliding_window_view(far[first : first + len(near) + TAPS - 1], TAPS)
    gram = np.asarray(columns.T @ columns, np.float64)
    power = float(gram.trace())
    if power <= 0.0:  # the kiosk paused there
        return False
    gram += np.diag(np.full(TAPS, 1e-6 * power))
    taps = np.linalg.solve(gram, columns.T @ near)
    rest = near - columns @ taps
    return float(rest @ rest) < LOOPBACK_REST * float(near @ near)
