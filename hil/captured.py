"""Captured frames and sound, both timed by the rig's clock."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

NS_PER_S: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Frame:
    """A captured frame, uint8 (height, width, 3), top row first. time_ns: when it was on the screen."""

    time_ns: int
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Region:
    """A rectangle of the screen, as fractions 0..1 of its width and height from the top left."""

    left: float
    top: float
    right: float
    bottom: float

    def of(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """The pixels of a frame inside the rectangle; at least one."""
        height, width = pixels.shape[:2]
        x, y = int(self.left * width), int(self.top * height)
        return pixels[y : max(y + 1, int(self.bottom * height)), x : max(x + 1, int(self.right * width))]


# The face.calibration bar: the bottom eighth (mien.render.bar.SHARE), without its edges.
BAR: Final = Region(0.1, 0.90, 0.9, 0.99)
# The mouth of a framed face on a portrait screen: from nose to chin, with room for a nodding head.
MOUTH: Final = Region(0.36, 0.56, 0.66, 0.70)
PORTRAIT: Final = 426 / 240


def mouth_on(height: int, width: int) -> Region:
    """The mouth region for a screen of this aspect ratio: the face is framed by height."""
    half = (MOUTH.right - MOUTH.left) / 2 * min(1.0, height / width / PORTRAIT)
    middle = 0.5 + (0.01 if width < height else 0.0)
    return Region(middle - half, MOUTH.top, middle + half, MOUTH.bottom)


@dataclass(frozen=True, slots=True)
class Sound:
    """Captured sound, mono int16 (N,). start_ns: when sample 0 was heard."""

    start_ns: int
    rate_hz: int
    pcm: NDArray[np.int16]

    @property
    def end_ns(self) -> int:
        """When the last sample was heard, in ns."""
        return self.time_ns(len(self.pcm))

    def time_ns(self, sample: float) -> int:
        """When a sample was heard, in ns."""
        return self.start_ns + round(sample * NS_PER_S / self.rate_hz)

    def between(self, from_ns: int, until_ns: int) -> "Sound":
        """The part that was heard in [from_ns, until_ns)."""
        first, last = (
            min(len(self.pcm), max(0, round((at - self.start_ns) * self.rate_hz / NS_PER_S)))
            for at in (from_ns, until_ns)
        )
        return Sound(self.time_ns(first), self.rate_hz, self.pcm[first:last])
