"""A linear echo canceller whose output is looked at, not listened to.

AEC3 sounds clean, but it suppresses the first syllables of a customer who speaks over the kiosk. A linear filter leaves
more of the echo, and all of the customer. It is a partitioned frequency-domain Kalman filter, which slows down by
itself while the customer speaks: G. Enzner and P. Vary, "Frequency-domain adaptive Kalman filter for acoustic echo
control in hands-free telephones", 2006; F. Kuech et al., "State-space architecture of the partitioned-block-based
acoustic echo controller", 2014.
"""

from typing import Final

import numpy as np

from mien.ear.chunks import CHUNK_FRAMES, Chunk, FramesF32

PARTITIONS: Final = 6
"""Of 32 ms each: the part of a room's echo that is cancelled."""

BINS: Final = CHUNK_FRAMES + 1
MEMORY: Final = 0.997
"""How much of the echo path remains from chunk to chunk: people walk about."""

SMOOTHING: Final = 0.3
REST_SHARE: Final = 0.3
"""How much of what is left counts as noise: less adapts faster, more suffers less from the customer."""

CAREFUL_SHARE: Final = 3.0
DOUBT: Final = 0.03
DOUBT_FALL: Final = 0.3
"""What the echo path may be at first, as a power gain: of the first partition, and from one to the next."""

QUIET: Final = 1e-10
"""Far-end power below which there is no echo: -100 dBFS."""


_ZEROS: Final = np.zeros(CHUNK_FRAMES, np.float32)


class LinearCanceller:
    """Takes 32 ms of microphone and far end, gives what is not echo."""

    def __init__(self) -> None:
        self._far = np.zeros((PARTITIONS, BINS), np.complex64)
        self._before = np.zeros(CHUNK_FRAMES, np.float32)
        self._silent = PARTITIONS + 1
        self._odd = False
        self.restart()

    def restart(self) -> None:
        """The alignment has moved: the echo path is unknown."""
        self._path = np.zeros((PARTITIONS, BINS), np.complex64)
        fall = DOUBT_FALL ** np.arange(PARTITIONS, dtype=np.float32)
        self._doubt = np.full((PARTITIONS, BINS), DOUBT, np.float32) * fall[:, np.newaxis]
        self._rest = np.zeros(BINS, np.float32)

    def process(self, chunk: Chunk, *, careful: bool, learnt: bool) -> tuple[FramesF32, float]:
        """Returns what is left of chunk.near with the power of the echo that it believes in.

        careful: somebody speaks, so the filter adapts slowly. It must not stop: if the room has changed, what seems to
        be speech is echo. learnt: the room is known, so every second chunk is enough.
        """
        near, far = chunk.near, chunk.far
        self._silent = 0 if chunk.far_power > QUIET else self._silent + 1
        if self._silent > PARTITIONS:
            return near, 0.0
        self._far[1:] = self._far[:-1]
        self._far[0] = np.fft.rfft(np.concatenate((self._before, far)))
        self._before = far
        echo = np.fft.irfft((self._far * self._path).sum(axis=0))[CHUNK_FRAMES:].astype(np.float32)
        rest = near - echo
        self._odd = not self._odd
        if self._odd or not learnt:
            self._adapt(rest, CAREFUL_SHARE if careful else REST_SHARE)
        return rest, float(echo @ echo) / CHUNK_FRAMES

    def _adapt(self, rest: FramesF32, share: float) -> None:
        error = np.fft.rfft(np.concatenate((_ZEROS, rest))).astype(np.complex64)
        self._rest = SMOOTHING * self._rest + (1 - SMOOTHING) * (error.real**2 + error.imag**2)
        power = self._far.real**2 + self._far.imag**2
        gain = self._doubt / ((0.5 * self._doubt * power).sum(axis=0) + share * self._rest + 1e-6)
        self._doubt *= MEMORY**2 * np.maximum(0.0, 1.0 - 0.5 * gain * power)
        self._doubt += (1 - MEMORY**2) * (self._path.real**2 + self._path.imag**2)
        step = np.fft.irfft(gain * np.conj(self._far) * error, axis=1)
        step[:, CHUNK_FRAMES:] = 0.0
        self._path += np.fft.rfft(step, axis=1).astype(np.complex64)
        self._path *= MEMORY
