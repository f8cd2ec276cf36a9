"""Calibration: a bar that flashes at exact media times, so that lip-sync can be measured from outside.

It takes a test utterance with a click at the start of each flash, a camera or capture card, and a microphone.
`face.calibration` enables the bar.
"""

from collections.abc import Callable
from typing import Final

from mien.units import ns_to_ms

# All gaps differ (606, 706, 509, 1013, 825 ms), so that the pattern matches at one offset only. None is a multiple of a
# display's period, so that flashes fall at different phases between two frames.
PERIOD_MS: Final = 3659
FLASHES_MS: Final = (407, 1013, 1719, 2228, 3241)
# Long enough to be caught at 5 frames per second, the rate of an emulated board.
FLASH_MS: Final = 200


def is_lit(media_ns: int) -> bool:
    """Whether the bar is lit at a media time; False for negative ones."""
    if media_ns < 0:
        return False
    at_ms = ns_to_ms(media_ns) % PERIOD_MS
    return any(start <= at_ms < start + FLASH_MS for start in FLASHES_MS)


def flash_times_ms(length_ms: float) -> list[int]:
    """Media times in [0, length_ms) at which a flash begins; the test utterance clicks there."""
    rounds = range(0, int(length_ms) + 1, PERIOD_MS)
    return [at for begin in rounds for start in FLASHES_MS if (at := begin + start) < length_ms]


class Calibration:
    """Draws the bar over each frame. paint(lit) paints it over the frame last drawn."""

    def __init__(self, paint: Callable[[bool], None]) -> None:
        self._paint = paint

    def after_draw(self, media_ns: int) -> None:
        """media_ns: the media time for which the frame was drawn; -1 if it shows no speech."""
        self._paint(is_lit(media_ns))
