"""A streaming resampler with a lookahead of 0.7 to 4.1 ms.

soxr's streams hold back 20 to 175 ms (LQ to HQ, 8 or 16 kHz to 48 kHz), because their half-band stages work on DFT
blocks. That alone would exceed the first-sound budget. This resampler holds back HALF_WIDTH frames of the lower rate.
"""

from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from mien.audio.base import Pcm
from mien.audio.polyphase import design
from mien.core.wire import RATES_HZ

SLAB_BLOCKS: Final = 256
"""Blocks computed at a time, so that a burst of speech does not need megabytes of scratch memory."""

_NOTHING: Final = np.empty(0, np.int16)


class Resampler:
    """Resamples one turn of speech, mono int16.

    push() each chunk, then flush(). The output is aligned with the input (frame n is at n / to_hz) and has
    round(frames * to_hz / from_hz) frames in total, rounded half up. After flush() the next turn may begin. With equal
    rates push() returns its argument.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        """Raises ValueError for a rate that is not in RATES_HZ."""
        for name, rate_hz in (("from_hz", from_hz), ("to_hz", to_hz)):
            if rate_hz not in RATES_HZ:
                choices = ", ".join(map(str, RATES_HZ))
                raise ValueError(f"{name}: {rate_hz} Hz is not supported; choose one of {choices}")
        self.from_hz = from_hz
        self.to_hz = to_hz
        self._bypass = from_hz == to_hz
        self._bank = design(from_hz, to_hz)
        self.restart()

    @property
    def lookahead_ms(self) -> float:
        """Delay of the output relative to the input, in ms."""
        return 0.0 if self._bypass else self._bank.lookahead * 1000 / self.from_hz

    def push(self, pcm: Pcm) -> Pcm:
        """Take the next input frames, int16 (N,). Returns the output frames that are ready, int16 (M,), M >= 0."""
        if self._bypass:
            return pcm
        self._append(pcm)
        return self._produce(self.yields(0))

    def flush(self) -> Pcm:
        """End the turn. Returns the remaining output, int16 (M,)."""
        if self._bypass:
            return _NOTHING
        rest = self._produce(self.yields(0, end=True))
        self.restart()
        return rest

    def yields(self, frames: int, *, end: bool = False) -> int:
        """The number of output frames that push() of `frames` would return; with end, including flush() after it."""
        if self._bypass:
            return frames
        up, down = self._bank.up, self._bank.down
        taken = self._taken + frames
        until = (2 * taken * up + down) // (2 * down) if end else -((self._bank.lookahead - taken) * up // down)
        return max(0, until - self._given)

    def restart(self) -> None:
        """Discard the turn so far."""
        self._taken = 0
        self._given = 0
        self._held_from = self._bank.first_input(0)
        self._held = np.zeros(-self._held_from, np.float64)

    def _append(self, pcm: Pcm) -> None:
        block = self._bank.matrices.shape[2]
        needed_from = self._bank.first_input(self._given // block * block)
        self._held = np.concatenate((self._held[needed_from - self._held_from :], pcm))
        self._held_from = needed_from
        self._taken += len(pcm)

    def _produce(self, frames: int) -> Pcm:
        if not frames:
            return _NOTHING
        until = self._given + frames
        block = self._bank.matrices.shape[2]
        first, last = self._given // block, -(-until // block)
        skipped = self._given - first * block
        out = np.empty((last - first) * block, np.int16)
        for slab in range(first, last, SLAB_BLOCKS):
            values = self._blocks(slab, min(SLAB_BLOCKS, last - slab)).reshape(-1)
            np.clip(np.rint(values, out=values), -32768, 32767, out=values)
            at = (slab - first) * block
            out[at : at + len(values)] = values
        ready = out[skipped : skipped + frames]
        self._given = until
        return ready

    def _blocks(self, first: int, count: int) -> NDArray[np.float64]:
        """Whole blocks before rounding, float64 (count, block). Input beyond the end counts as silence."""
        matrices = self._bank.matrices
        period, span, block = matrices.shape
        windows = self._windows(first, count, span, block)
        out = np.empty((count, block))
        done = 0
        while done < count:
            phase = (first + done) % period
            left = count - done
            # Whole periods share one product; partial periods can occur at either end.
            whole = phase == 0 and left >= period
            rounds, width = (left // period, period) if whole else (1, min(period - phase, left))
            part = slice(done, done + rounds * width)
            shape = (rounds, width, -1)
            products = windows[part].reshape(shape).swapaxes(0, 1) @ matrices[phase : phase + width]
            out[part].reshape(shape)[:] = products.swapaxes(0, 1)
            done += rounds * width
        return out

    def _windows(self, first: int, count: int, span: int, block: int) -> NDArray[np.float64]:
        """The input window of each block, float64 (count, span)."""
        outputs = np.arange(first, first + count) * block
        starts = outputs * self._bank.down // self._bank.up + 1 - self._bank.lookahead - self._held_from
        missing = int(starts[-1]) + span - len(self._held)
        held = np.concatenate((self._held, np.zeros(missing))) if missing > 0 else self._held
        return np.asarray(sliding_window_view(held, span)[starts], dtype=np.float64)
