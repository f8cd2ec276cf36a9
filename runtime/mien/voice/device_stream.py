"""The device as one continuous stream of numbered frames, each heard at a known time."""

from collections.abc import Callable

import numpy as np

from mien.audio.base import Pcm, Sink
from mien.config import PlaybackConfig
from mien.core.stats import Counters
from mien.units import NS_PER_S, frames_to_ns, ms_to_frames
from mien.voice.playout_log import PlayoutLog

WINDOW = 64
IDLE_RESERVE = 0.28  # of the target level, 7 of 25 ms: with less filler left an idle device is topped up
JUMP_NS = 15_000_000  # more than the coarsest device's step: the stream really moved, because it ran dry


class DeviceClock:
    """Smooths (monotonic ns, frames heard) readings.

    The Pi's outputs report their position in steps of up to 10 ms, others smoothly. The time at which frame 0 would
    have been heard is nearly constant, so it is averaged over WINDOW readings. A card that is 100 ppm off its nominal
    rate then causes an error of 0.03 ms. restarts: how often the readings were dropped.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._zeros_ns = [0] * WINDOW
        self.restarts = 0
        self.restart()

    def restart(self) -> None:
        """The device stream was interrupted: drop all readings."""
        self._count = self._sum_ns = self._zero_ns = 0
        self.restarts += 1

    def observe(self, now_ns: int, heard_frames: int) -> None:
        """Add one reading."""
        zero_ns = now_ns - heard_frames * NS_PER_S // self._rate_hz
        if self._count and abs(zero_ns - self._zero_ns) > JUMP_NS:
            self.restart()
        slot = self._count % WINDOW
        if self._count >= WINDOW:
            self._sum_ns -= self._zeros_ns[slot]
        self._zeros_ns[slot] = zero_ns
        self._sum_ns += zero_ns
        self._count += 1
        self._zero_ns = self._sum_ns // min(self._count, WINDOW)

    def time_of_ns(self, frame: int) -> int:
        """When this device frame is, was or will be heard, in monotonic ns."""
        return self._zero_ns + frame * NS_PER_S // self._rate_hz

    def frame_at(self, now_ns: int) -> int:
        """The device frame that is heard at now_ns."""
        return (now_ns - self._zero_ns) * self._rate_hz // NS_PER_S


class DeviceStream:
    """Owns the sink. Frames are numbered from 0 over all sinks; the playout log says what each of them was.

    position: the frame that is heard now. held: frames that were written and not heard yet. Call read() first in a
    step, then write() while there is `room`. tap: called with every block that is written, silence where no real device
    plays it, and the number of its first frame.
    """

    def __init__(self, config: PlaybackConfig, sink: Sink, counters: Counters) -> None:
        self._config = config
        self._rate_hz = config.rate_hz
        self._counters = counters
        self._latency_frames = ms_to_frames(config.output_latency_ms, config.rate_hz)
        self.playout_log = PlayoutLog()
        self.clock = DeviceClock(config.rate_hz)
        self.position = 0
        self.tap: Callable[[Pcm, int], None] | None = None
        self._now_ns = 0
        self.use(sink, audible=True)

    def use(self, sink: Sink, *, audible: bool, wake_ms: int = 0) -> None:
        """Continue with another device after wake_ms of filler. What the old one still held counts as not heard."""
        if sink.format.rate_hz != self._rate_hz:
            raise ValueError(f"a sink at {sink.format.rate_hz} Hz where {self._rate_hz} Hz are written to it")
        self._sink = sink
        self.released = False
        self._awake_from = self.playout_log.written + ms_to_frames(wake_ms, self._rate_hz)
        self.audible = audible
        self.target = min(sink.format.buffer_frames, ms_to_frames(self._config.buffer_ms, self._rate_hz))
        self._reserve_ns = frames_to_ns(round(IDLE_RESERVE * self.target), self._rate_hz)
        self.block = np.zeros(sink.format.buffer_frames, dtype=np.int16)
        self._left: Pcm = self.block[:0]
        self._underruns = sink.underruns
        self.held = 0
        self.clock.restart()
        for segment in self.playout_log.segments:
            segment.audible = False

    def release(self) -> None:
        """Stop writing. The position stands still until the next use()."""
        self.released = True

    @property
    def awake(self) -> bool:
        """Whether the device has had its wake_ms of filler. It might swallow speech before that."""
        return self.playout_log.written >= self._awake_from

    @property
    def room(self) -> int:
        """Frames that may be written now, up to the target level.

        0 while the device has not accepted the whole last block: nothing may overtake the rest of it.
        """
        if self.released or len(self._left):
            return 0
        room = self.target - self.held
        return room if self.awake else min(room, self._awake_from - self.playout_log.written)

    @property
    def due_ns(self) -> int:
        """When it must be topped up: only IDLE_RESERVE of its target level is left to play."""
        return self.clock.time_of_ns(self.playout_log.written - self._latency_frames) - self._reserve_ns

    def read(self, now_ns: int) -> None:
        """Read the device's position. Raises SinkError when the device is lost."""
        if self.released:
            return
        if len(self._left):
            self._left = self._left[self._sink.write(self._left) :]
        delay = len(self._left) + self._sink.delay_frames()
        if self._ran_dry() or not delay:  # what is written now is heard at once
            self.clock.restart()
        self._now_ns = now_ns
        self.clock.observe(now_ns, self.playout_log.written - delay - self._latency_frames)
        heard = self.clock.frame_at(now_ns)
        self.position = max(self.position, min(heard, self.playout_log.written - len(self._left)))
        # From the clock, not from this reading: a coarse device reports up to 10 ms more than it holds.
        self.held = max(len(self._left), self.playout_log.written - self._latency_frames - heard) if delay else 0

    def write(self, block: Pcm) -> None:
        """Write at most `target` frames; the caller may reuse the block. Raises SinkError."""
        taken = self._sink.write(block)
        if self._ran_dry():  # since it was read: its stream restarts with this block
            self.clock.restart()
            self.clock.observe(self._now_ns, self.playout_log.written - self._latency_frames)
        if self.tap is not None:
            self.tap(block if self.audible else np.zeros_like(block), self.playout_log.written)
        if taken < len(block):  # its free room changes by whole periods: the rest is written first at the next step
            self._left = block[taken:].copy()
        self.held += len(block)

    def _ran_dry(self) -> bool:
        """Whether the device has run dry since the last call."""
        count, self._underruns = self._sink.underruns - self._underruns, self._sink.underruns
        if count:
            self._counters.count("sink_underruns", count)
        return count > 0
