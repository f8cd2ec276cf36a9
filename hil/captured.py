"""What a rig catches: pictures and sound, both on the rig's one clock."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

NS_PER_S: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of the screen, uint8 (height, width, 3), top row first. time_ns: when it was on the screen."""

    time_ns: int
    pixels: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Region:
    """A part of the screen, in shares of its width and height, 0..1 from the left and the top."""

    left: float
    top: float
    right: float
    bottom: float

    def of(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """That part of a picture; at least one pixel."""
        height, width = pixels.shape[:2]
        x, y = int(self.left * width), int(self.top * height)
        return pixels[y : max(y + 1, int(self.bottom * height)), x : max(x + 1, int(self.right * width))]


# The face.calibration bar: the lowest eighth (mien.render.bar.SHARE), less its edges.
BAR: Final = Region(0.1, 0.90, 0.9, 0.99)
# The mouth of a framed face on a portrait screen: below the nose, above the chin, with room for a head that nods.
MOUTH: Final = Region(0.36, 0.56, 0.66, 0.70)
PORTRAIT: Final = 426 / 240


def mouth_on(height: int, width: int) -> Region:
    """Where the mouth is on a screen of that shape: the face is framed by its height."""
    half = (MOUTH.right - MOUTH.left) / 2 * min(1.0, height / width / PORTRAIT)
    middle = 0.5 + (0.01 if width < height else 0.0)
    return Region(middle - half, MOUTH.top, middle + half, MOUTH.bottom)


@dataclass(frozen=True, slots=True)
class Sound:
    """What was heard, mono int16 (N,). start_ns: when sample 0 was heard."""

    start_ns: int
    rate_hz: int
    pcm: NDArray[np.int16]

    @property
    def end_ns(self) -> int:
        """When the last sample was heard."""
        return self.time_ns(len(self.pcm))

    def time_ns(self, sample: float) -> int:
        """When a sample was heard."""
        return self.start_ns + round(sample * NS_PER_S / self.rate_hz)

    def between(self, from_ns: int, until_ns: int) -> "Sound":
        """The part that was heard in [from_ns, until_ns)."""
        first, last = (
            min(len(self.pcm), max(0, round((at - self.start_ns) * self.rate_hz / NS_PER_S)))
            for at in (from_ns, until_ns)
        )
        return Sound(self.time_ns(first), self.rate_hz, self.pcm[first:last])
