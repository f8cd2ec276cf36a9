"""Screen capture of a bench: an HDMI capture stick, through v4l2 and ffmpeg."""

import time
from collections.abc import Sequence
from typing import Final

import numpy as np

from hil.bench.feed import Feed
from hil.captured import NS_PER_S, Frame
from hil.errors import RigError

PART: Final = "screen"
KEPT: Final = 8
STALE_NS: Final = NS_PER_S  # a capture stick without a signal delivers nothing


def v4l2_command(device: str, size: tuple[int, int], fps: int) -> list[str]:
    """ffmpeg's command line for a capture stick: raw rgb24 frames as they arrive."""
    width, height = size
    return [
        "ffmpeg",
        "-loglevel",
        "error",
        "-fflags",
        "nobuffer",
        "-f",
        "v4l2",
        "-framerate",
        str(fps),
        "-i",
        device,
        "-vf",
        f"scale={width}:{height}:flags=area",
        "-pix_fmt",
        "rgb24",
        "-f",
        "rawvideo",
        "-",
    ]


class PipeScreen:
    """Frames from a program that writes raw rgb24. latency_ms: from the board's connector to here, as calibrated."""

    def __init__(self, command: Sequence[str], size: tuple[int, int], *, latency_ms: float = 0.0) -> None:
        self._command = command
        self._size = size
        self._latency_ns = round(latency_ms * 1e6)
        self._feed: Feed | None = None

    def frame(self) -> Frame:
        """The next frame to arrive. Raises RigError if there is no signal."""
        feed = self._open()
        number = feed.count
        feed.wait(number)
        return self._frames(feed, number)[0]

    def record(self, seconds: float, at_most_hz: float = 60.0) -> list[Frame]:
        """Capture for `seconds`."""
        frames = [self.frame()]
        gap_ns = NS_PER_S / at_most_hz * 0.9
        while frames[-1].time_ns - frames[0].time_ns < seconds * NS_PER_S:
            frame = self.frame()
            if frame.time_ns - frames[-1].time_ns >= gap_ns:
                frames.append(frame)
        return frames

    def close(self) -> None:
        """Release the device."""
        if self._feed is not None:
            self._feed.close()
            self._feed = None

    def _open(self) -> Feed:
        if self._feed is None:
            width, height = self._size
            self._feed = Feed(PART, self._command, 3 * width * height, KEPT)
        return self._feed

    def _frames(self, feed: Feed, after: int) -> list[Frame]:
        width, height = self._size
        found = [
            Frame(at_ns - self._latency_ns, np.frombuffer(data, np.uint8).reshape(height, width, 3))
            for _, at_ns, data in feed.blocks(after)
        ]
        if not found or time.monotonic_ns() - found[-1].time_ns - self._latency_ns > STALE_NS:
            raise RigError(PART, "no signal: the capture stick delivers no frames; is the HDMI cable connected?")
        return found
