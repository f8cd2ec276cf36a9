"""The far end: what is written to the device, at 16 kHz, with the time at which it is heard.

Blocks of 20 ms. Silence is only counted: it is neither resampled nor sent as samples.
"""

from typing import Final

import numpy as np

from mien.audio.base import Pcm
from mien.audio.resample import Resampler
from mien.core.ear_bus import EAR_BLOCK_FRAMES, EAR_RATE_HZ, FarEnd
from mien.units import NS_PER_MS, NS_PER_S, frames_to_ns, ms_to_frames, ns_to_frames
from mien.voice.device_stream import DeviceStream

REACH_MS: Final = 5  # beyond the resampler's reach to either side, which is 4.1 ms at most
QUIET_MS: Final = 2 * REACH_MS  # of silence: what the resampler has yet to return is silent too
TAIL_NS: Final = NS_PER_S  # the rest of an interrupted stream is published unless it is older
STILL_NS: Final = (
    250 * NS_PER_MS
)  # how far ahead the silence of a closed device is published; it is stepped every 100 ms


class FarEndFeed:
    """Taps the device stream while somebody needs it. take() returns the blocks since the last call."""

    def __init__(self, device: DeviceStream, rate_hz: int, now_ns: int) -> None:
        """rate_hz: of the device. now_ns: a restarted voice must use newer stream numbers than before."""
        self._device = device
        self._rate_hz = rate_hz
        self._resampler = Resampler(rate_hz, EAR_RATE_HZ)
        self._reach = ms_to_frames(REACH_MS, rate_hz)
        self._quiet = ms_to_frames(QUIET_MS, rate_hz)
        self._period = rate_hz // int(np.gcd(rate_hz, EAR_RATE_HZ))  # input frames after which both rates meet again
        self._block = np.zeros(EAR_BLOCK_FRAMES, dtype=np.int16)
        self._blocks: list[tuple[FarEnd, bytes]] = []
        self._users: set[str] = set()
        self._waiting: list[Pcm] = []
        self._stream = now_ns // NS_PER_MS
        self._interruptions = -1
        self._sounds = False
        self._silent_for = 0  # frames

    @property
    def on(self) -> bool:
        """Whether somebody needs it."""
        return bool(self._users)

    def start(self, user: str) -> None:
        """Somebody needs it: tap the device, unless another one's need has done so."""
        if not self.on:
            self._interruptions = -1  # what is written next begins a stream
            self._begin(0, 0)
            self._device.tap = self._written
        self._users.add(user)

    def stop(self, user: str) -> None:
        """This one needs it no more. Without any it costs nothing."""
        self._users.discard(user)
        if not self.on:
            self._device.tap = None
            self._blocks.clear()

    def take(self, now_ns: int) -> list[tuple[FarEnd, bytes]]:
        """The blocks since the last call. While the device is closed, silence up to STILL_NS ahead."""
        if self._device.released:
            self._stand_still(now_ns)
        blocks, self._blocks = self._blocks, []
        return blocks

    def _written(self, pcm: Pcm, frame: int) -> None:
        """int16 (N,) was written; its first sample is this frame of the device."""
        clock = self._device.clock
        if self._interruptions != clock.restarts:
            self._end(before_ns=clock.time_of_ns(frame))
            self._interruptions = clock.restarts
            self._begin(frame, clock.time_of_ns(frame))
        self._start_ns = clock.time_of_ns(self._start_frame)
        sounds = bool(pcm.any())
        if sounds and not self._sounds:
            self._resume()
        if self._sounds:
            self._silent_for = 0 if sounds else self._silent_for + len(pcm)
            self._collect(pcm.copy())
            if self._silent_for >= self._quiet:
                self._resample()
                self._sounds = False
        self._taken += len(pcm)
        if not self._sounds:
            self._add_silence((self._taken - self._reach) * EAR_RATE_HZ // self._rate_hz - self._given)

    def _begin(self, frame: int, start_ns: int) -> None:
        self._stream += 1
        self._start_frame, self._start_ns = frame, start_ns
        self._taken = self._given = self._published = self._filled = 0
        self._silent_for = self._skip = self._waiting_frames = 0
        self._sounds = self._still = False
        self._waiting.clear()

    def _resume(self) -> None:
        """Sound after silence: restart the resampler where both rates meet, with the silence that it would hold."""
        base = max(0, self._taken - self._reach) // self._period * self._period
        self._resampler.restart()
        self._skip = self._given - base * EAR_RATE_HZ // self._rate_hz
        self._sounds = True
        self._collect(np.zeros(self._taken - base, dtype=np.int16))

    def _collect(self, pcm: Pcm) -> None:
        """Resample as soon as a block is complete, and not before: each time costs more than the frames do."""
        self._waiting.append(pcm)
        self._waiting_frames += len(pcm)
        if self._filled + self._resampler.yields(self._waiting_frames) - self._skip >= EAR_BLOCK_FRAMES:
            self._resample()

    def _resample(self) -> None:
        if self._waiting:
            self._add(self._resampler.push(np.concatenate(self._waiting)))
            self._waiting.clear()
            self._waiting_frames = 0

    def _end(self, before_ns: int) -> None:
        """The stream was interrupted: publish what is left of it, unless it is long past."""
        if self._sounds:
            self._resample()
            self._add(self._resampler.flush())
        if self._filled and self._at_ns(self._published) > before_ns - TAIL_NS:
            self._publish(self._filled)

    def _stand_still(self, now_ns: int) -> None:
        if not self._still:
            self._begin(0, now_ns)
            self._interruptions = -1
            self._still = True
        ahead = ns_to_frames(now_ns + STILL_NS - self._start_ns, EAR_RATE_HZ) - self._given
        self._add_silence(ahead)

    def _add(self, pcm: Pcm) -> None:
        """Resampled frames, of which the first _skip were published as silence."""
        skipped = min(self._skip, len(pcm))
        self._skip -= skipped
        pcm = pcm[skipped:]
        self._given += len(pcm)
        while len(pcm):
            count = min(len(pcm), EAR_BLOCK_FRAMES - self._filled)
            self._block[self._filled : self._filled + count] = pcm[:count]
            pcm = pcm[count:]
            self._fill(count)

    def _add_silence(self, frames: int) -> None:
        if frames <= 0:
            return
        self._given += frames
        if self._filled:
            count = min(frames, EAR_BLOCK_FRAMES - self._filled)
            self._block[self._filled : self._filled + count] = 0
            self._fill(count)
            frames -= count
        if whole := frames // EAR_BLOCK_FRAMES * EAR_BLOCK_FRAMES:
            self._send(whole, b"")
        rest = frames - whole
        self._block[:rest] = 0
        self._filled += rest

    def _fill(self, count: int) -> None:
        self._filled += count
        if self._filled == EAR_BLOCK_FRAMES:
            self._publish(EAR_BLOCK_FRAMES)

    def _publish(self, frames: int) -> None:
        block = self._block[:frames]
        self._filled = 0
        self._send(frames, block.tobytes() if block.any() else b"")

    def _send(self, frames: int, payload: bytes) -> None:
        message = FarEnd(
            stream=self._stream,
            offset=self._published,
            frames=frames,
            at_ns=self._at_ns(self._published),
            silent=not payload,
        )
        self._published += frames
        self._blocks.append((message, payload))

    def _at_ns(self, offset: int) -> int:
        return self._start_ns + frames_to_ns(offset, EAR_RATE_HZ)
