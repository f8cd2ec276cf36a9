"""The ear of a bench: a USB sound card on the board's line output, through ALSA's arecord."""

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
    """arecord's words: raw mono s16le at 48 kHz, in short periods."""
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
    """Sound from a program that writes raw mono s16le at 48 kHz. latency_ms: from the plug to here, as calibrated.

    The program's blocks come late by whatever the machine is busy with, never early: the earliest for its length tells
    when sample 0 was heard.
    """

    def __init__(self, command: Sequence[str], *, latency_ms: float = 0.0) -> None:
        self._command = command
        self._latency_ns = round(latency_ms * 1e6)
        self._feed: Feed | None = None
        self._first = 0

    def start(self) -> None:
        """Listen from now on."""
        if self._feed is None:
            self._feed = Feed(PART, self._command, 2 * BLOCK_FRAMES, KEPT)
        self._feed.wait(self._feed.count)
        self._first = self._feed.count

    def sound(self) -> Sound:
        """All since start(). Raises RigError before it, or when the device gives nothing."""
        if self._feed is None:
            raise RigError(PART, "start() was never called")
        self._feed.wait(self._first)
        blocks = self._feed.blocks(self._first)
        if blocks[0][0] != self._first:
            raise RigError(PART, "more than ten minutes were heard since start()")
        block_ns = BLOCK_FRAMES * NS_PER_S / RATE_HZ
        start_ns = min(at_ns - round((number - self._first + 1) * block_ns) for number, at_ns, _ in blocks)
        return Sound(start_ns - self._latency_ns, RATE_HZ, np.frombuffer(b"".join(data for *_, data in blocks), "<i2"))

    def close(self) -> None:
        """Give the device back."""
        if self._feed is not None:
            self._feed.close()
            self._feed = None
