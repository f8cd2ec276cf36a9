"""Hours of two drifting cards on simulated clocks, followed by the ear's reader."""

import gc
from collections.abc import Callable
from dataclasses import dataclass, field
from math import pi, sin
from typing import Final

import numpy as np

from mien.bench.long_session import HOUR_S, resident_mb
from mien.core.ear_bus import EAR_BLOCK_FRAMES, EAR_RATE_HZ, FarEnd
from mien.ear.far_end import FarEndBuffer, Reader
from mien.units import NS_PER_S

START_NS: Final = 1_000 * NS_PER_S
JITTER_NS: Final = 300_000
"""Of each reading, RMS: the voice smooths its device's, the ear its own."""

SWING_PPM: Final = 10.0
"""By which the day's temperature moves a crystal."""

BLOCK_S: Final = EAR_BLOCK_FRAMES / EAR_RATE_HZ
BLOCKS_AN_HOUR: Final = round(HOUR_S / BLOCK_S)
AHEAD: Final = 3
SETTLED: Final = round(30 / BLOCK_S)


@dataclass(slots=True)
class DriftRun:
    """worst_ms: the greatest error of the alignment after half a minute. first_ms: before it. resident_mb: each hour.

    jumps: of the alignment.
    """

    worst_ms: float = 0.0
    first_ms: float = 0.0
    jumps: int = 0
    resident_mb: list[float] = field(default_factory=list)


def drift_for_hours(hours: float, ppm: float, progress: Callable[[str], None]) -> DriftRun:
    """ppm: by which the speaker's card is fast against the microphone's."""
    random = np.random.default_rng(17)
    buffer, reader, run = FarEndBuffer(), Reader(), DriftRun()
    heard = 0.0  # frames of the far end at the start of the near block
    for block in range(round(hours * BLOCKS_AN_HOUR)):
        if block % BLOCKS_AN_HOUR == 0:
            progress(f"drift of {ppm:+g} ppm, hour {block // BLOCKS_AN_HOUR + 1}/{hours:g}")
            gc.collect()
            run.resident_mb.append(resident_mb())
        rate = 1 + (ppm + SWING_PPM * sin(2 * pi * block / BLOCKS_AN_HOUR)) * 1e-6
        at_ns = START_NS + round(block * BLOCK_S * NS_PER_S)
        offset = (block + AHEAD) * EAR_BLOCK_FRAMES
        offset += round(heard - block * EAR_BLOCK_FRAMES) // EAR_BLOCK_FRAMES * EAR_BLOCK_FRAMES
        ahead_ns = (offset - heard) / (EAR_RATE_HZ * rate) * NS_PER_S
        known_ns = at_ns + round(ahead_ns + JITTER_NS * float(random.standard_normal()))
        message = FarEnd(stream=1, offset=offset, frames=EAR_BLOCK_FRAMES, at_ns=known_ns, silent=True)
        buffer.write(message, None, reader.predicted(known_ns))
        own_ns = at_ns + round(JITTER_NS * float(random.standard_normal()))
        target = buffer.position_at(own_ns)
        if not reader.locked:
            reader.restart_at(own_ns, target)
            first = offset - buffer.end + EAR_BLOCK_FRAMES  # the position of the stream's frame 0
        position, _ = reader.advance(own_ns, target)
        error_ms = abs(position + first - heard) * 1000 / EAR_RATE_HZ
        if block < SETTLED:
            run.first_ms = max(run.first_ms, error_ms)
        else:
            run.worst_ms = max(run.worst_ms, error_ms)
        heard += EAR_BLOCK_FRAMES * rate
    gc.collect()
    run.resident_mb.append(resident_mb())
    run.jumps = reader.jumps
    return run
