"""The device as one endless run of numbered frames, whatever device it is and however it takes them.

Frames are numbered from 0 over all devices. The ledger says what each of them was, the clock when each is heard.
"""

import numpy as np

from mien.audio.base import Sink
from mien.config import PlaybackConfig
from mien.core.stats import Counters
from mien.units import ms_to_frames
from mien.voice.device_clock import DeviceClock
from mien.voice.ledger import Ledger
from mien.voice.pcm import Pcm


class Outlet:
    """Owns the sink. position: the frame that is heard now. held: frames that were written and are not heard yet.

    read() comes first in a step, then write() as often as there is `room`.
    """

    def __init__(self, config: PlaybackConfig, sink: Sink, counters: Counters) -> None:
        self._config = config
        self._rate_hz = config.rate_hz
        self._counters = counters
        self._latency_frames = ms_to_frames(config.output_latency_ms, config.rate_hz)
        self.ledger = Ledger()
        self.clock = DeviceClock(config.rate_hz)
        self.position = 0
        self._now_ns = 0
        self.use(sink, audible=True)

    def use(self, sink: Sink, *, audible: bool, wake_ms: int = 0) -> None:
        """Go on with another device, with wake_ms of filler first. What the old one still held was not heard."""
        if sink.format.rate_hz != self._rate_hz:
            raise ValueError(f"a sink at {sink.format.rate_hz} Hz where {self._rate_hz} Hz are written to it")
        self._sink = sink
        self.released = False
        self._awake_from = self.ledger.written + ms_to_frames(wake_ms, self._rate_hz)
        self.audible = audible
        self.target = min(sink.format.buffer_frames, ms_to_frames(self._config.buffer_ms, self._rate_hz))
        self.block = np.zeros(sink.format.buffer_frames, dtype=np.int16)
        self._left: Pcm = self.block[:0]
        self._underruns = sink.underruns
        self.held = 0
        self.clock.restart()
        for segment in self.ledger.segments:
            segment.audible = False

    def release(self) -> None:
        """Let the device go: nothing is written, and its position stands still, until the next use()."""
        self.released = True

    @property
    def awake(self) -> bool:
        """Whether the device has had its filler: speech before that might be swallowed."""
        return self.ledger.written >= self._awake_from

    @property
    def room(self) -> int:
        """Frames that may be written now: what is missing to what is kept in the device.

        0 until the device has taken all that it was given: nothing may be written behind what was left over.
        """
        if self.released or len(self._left):
            return 0
        room = self.target - self.held
        return room if self.awake else min(room, self._awake_from - self.ledger.written)

    @property
    def runs_dry_ns(self) -> int:
        """When the device has played all that it was given."""
        return self.clock.time_of_ns(self.ledger.written - self._latency_frames)

    def read(self, now_ns: int) -> None:
        """Ask the device where it stands. Raises SinkError when it is lost."""
        if self.released:
            return
        if len(self._left):
            self._left = self._left[self._sink.write(self._left) :]
        delay = len(self._left) + self._sink.delay_frames()
        if self._ran_dry() or not delay:  # what is written now is heard at once
            self.clock.restart()
        self._now_ns = now_ns
        self.clock.observe(now_ns, self.ledger.written - delay - self._latency_frames)
        heard = self.clock.frame_at(now_ns)
        self.position = max(self.position, min(heard, self.ledger.written - len(self._left)))
        # By the clock rather than by this reading: a coarse device seems to hold up to 10 ms more than it does.
        self.held = max(len(self._left), self.ledger.written - self._latency_frames - heard) if delay else 0

    def write(self, block: Pcm) -> None:
        """Give frames to the device, at most `target` of them; they are the caller's again. Raises SinkError."""
        taken = self._sink.write(block)
        if self._ran_dry():  # after it was read: its stream begins again with this block
            self.clock.restart()
            self.clock.observe(self._now_ns, self.ledger.written - self._latency_frames)
        if taken < len(block):  # its free room moves in periods: what it left goes first at the next step
            self._left = block[taken:].copy()
        self.held += len(block)

    def _ran_dry(self) -> bool:
        """Whether the device had to begin again since this was last asked."""
        count, self._underruns = self._sink.underruns - self._underruns, self._sink.underruns
        if count:
            self._counters.count("sink_underruns", count)
        return count > 0
