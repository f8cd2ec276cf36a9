"""Sound capture of a bench: a USB sound card on the board's line output, through ALSA's arecord."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from hil.bench.feed import Feed
from hil.captured import NS_PER_S, Sound
from hil.errors import RigError

PART: Final = "ears"
RATE_HZ: Final = 48_000
BLOCK_FRAMES: Final = 480
KEPT: Final = 600 * RATE_HZ // BLOCK_FRAMES  # ten minutes


def arecord_command(device: str) -> list[str]:
    """arecord's command line: raw mono s16le at 48 kHz, in short periods."""
    return [
        "arecord",
        "-q",
        "-D",
        device,
        "-t",
        "raw",
        "-f",
        "S16_LE",
        "-r",
        str(RATE_HZ),
        "-c",
        "1",
        f"--period-size={BLOCK_FRAMES}",
        f"--buffer-size={8 * BLOCK_FRAMES}",
    ]


class PipeEars:
    """Sound from a program that writes raw mono s16le at 48 kHz. latency_ms: from the jack to here, as calibrated.

    Blocks arrive late when this machine is busy, never early: the block that came earliest relative to its position
    gives the time of sample 0.
    """

    def __init__(self, command: Sequence[str], *, latency_ms: float = 0.0) -> None:
        self._command = command
        self._latency_ns = round(latency_ms * 1e6)
        self._feed: Feed | None = None
        self._first = 0

    def start(self) -> None:
        """Start recording."""
        if self._feed is None:
            self._feed = Feed(PART, self._command, 2 * BLOCK_FRAMES, KEPT)
        self._feed.wait(self._feed.count)
        self._first = self._feed.count

    def sound(self) -> Sound:
        """The recording since start(). Raises RigError before start(), or if the device delivers nothing."""
        if self._feed is None:
            raise RigError(PART, "start() was never called")
        self._feed.wait(self._first)
        blocks = self._feed.blocks(self._first)
        if blocks[0][0] != self._first:
            raise RigError(PART, "more than ten minutes were recorded since start()")
        block_ns = BLOCK_FRAMES * NS_PER_S / RATE_HZ
        start_ns = min(at_ns - round((number - self._first + 1) * block_ns) for number, at_ns, _ in blocks)
        return Sound(start_ns - self._latency_ns, RATE_HZ, np.frombuffer(b"".join(data for *_, data in blocks), "<i2"))

    def close(self) -> None:
        """Release the device."""
        if self._feed is not None:
            self._feed.close()
            self._feed = None
