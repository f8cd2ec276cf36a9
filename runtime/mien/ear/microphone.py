"""Captured sound as numbered blocks of 20 ms, each with the time at which it reached the microphone."""

from collections.abc import Iterator
from random import Random
from typing import Final, NamedTuple

from mien.capture.base import Capture, Pcm
from mien.config import EarConfig
from mien.core.clock import Clock
from mien.core.ear_bus import EAR_BLOCK_FRAMES, EAR_RATE_HZ
from mien.core.stats import Counters
from mien.ear.block_cutter import BlockCutter
from mien.ear.capture_clock import CaptureClock
from mien.ear.captures import Captures, Opener, open_capture
from mien.errors import CaptureError
from mien.units import NS_PER_MS, NS_PER_S

BLOCK_NS: Final = EAR_BLOCK_FRAMES * NS_PER_S // EAR_RATE_HZ
READS: Final = 8
"""At most 0.8 s of sound at a step: what a busy machine kept waiting is caught up with, and the bus is served too."""

STALL_NS: Final = 2 * NS_PER_S
STALL_READS: Final = 50
"""A device that delivers nothing for so long hangs: silence would be frames, too."""

SHORTEST_NS: Final = 5 * NS_PER_MS
LONGEST_NS: Final = 15 * NS_PER_MS


class Block(NamedTuple):
    """pcm: int16 (EAR_BLOCK_FRAMES,) at 16 kHz. seq: its number. at_ns: of its first frame.

    gap: sound before it was lost.
    """

    pcm: Pcm
    seq: int
    at_ns: int
    gap: bool


class Microphone:
    """Owns the device, its clock and the resampler. Counters: capture_overruns, _jumps, _stalls, _lost_ms."""

    def __init__(self, config: EarConfig, clock: Clock, counters: Counters, opener: Opener = open_capture) -> None:
        self._config = config
        self._clock = clock
        self._counters = counters
        self._captures = Captures(config, clock, opener)
        self._device: Capture | None = None
        self._seq = -1
        self._taken = self._overruns = 0
        self._last_ns = 0
        self._empty_reads = self._empty_ns = 0
        self._gap = False
        self._pauses = Random(1)

    @property
    def failure(self) -> str:
        """Why there is no device; "" while there is one."""
        return self._captures.failure

    @property
    def drift_ppm(self) -> float | None:
        """Of the card against CLOCK_MONOTONIC; None while unknown."""
        return None if self._device is None else self._times.drift_ppm

    def read(self) -> Iterator[Block]:
        """The blocks that are complete by now."""
        for _ in range(READS):
            device = self._open()
            if device is None:
                return
            try:
                pcm, reading = device.read(), device.reading()
            except CaptureError as error:
                self._captures.lose(str(error))
                return
            if device.overruns != self._overruns:
                self._counters.count("capture_overruns", device.overruns - self._overruns)
                self._overruns = device.overruns
                self._times.restart()
                self._restart()
            if self._times.observe(*reading):
                self._counters.count("capture_jumps")
                self._restart()
            if not len(pcm):
                self._check_stall()
                return
            self._empty_reads = 0
            self._taken += len(pcm)
            for block, frame in self._cutter.push(pcm):
                yield self._numbered(block, self._times.time_of_ns(frame))

    def next_ns(self) -> int:
        """When to read() next: at irregular times.

        Some cards report their position in steps of 10 ms. Read at regular times, the beat between those steps and the
        readings would look like drift.
        """
        return self._clock.now_ns() + self._pauses.randint(SHORTEST_NS, LONGEST_NS)

    def close(self) -> None:
        """Close the device."""
        self._captures.close()

    def _open(self) -> Capture | None:
        device = self._captures.get()
        if device is not None and device is not self._device:
            self._times = CaptureClock(device.format.rate_hz)
            self._cutter = BlockCutter(device.format.rate_hz, self._config.channel)
            self._overruns = device.overruns
            self._taken = 0
            self._empty_reads = 0
            self._gap = self._seq >= 0
        self._device = device
        return device

    def _check_stall(self) -> None:
        """Also by the number of reads: after a pause of this process, a device that overran gives nothing at first."""
        self._empty_reads += 1
        if self._empty_reads == 1:
            self._empty_ns = self._clock.now_ns()
        elif self._empty_reads > STALL_READS and self._clock.now_ns() - self._empty_ns > STALL_NS:
            self._counters.count("capture_stalls")
            self._captures.lose("the microphone delivers nothing, although it is there; it is opened again")

    def _restart(self) -> None:
        """Sound was lost before the frames that come now."""
        self._cutter.restart(self._taken)
        self._gap = True

    def _numbered(self, pcm: Pcm, at_ns: int) -> Block:
        gap, self._gap = self._gap, False
        step = 1
        if gap and self._seq >= 0:
            step = max(1, round((at_ns - self._last_ns) / BLOCK_NS))
            self._counters.count("capture_lost_ms", max(0, at_ns - self._last_ns - BLOCK_NS) // NS_PER_MS)
        self._seq += step
        self._last_ns = at_ns
        return Block(pcm, self._seq, at_ns, gap)
