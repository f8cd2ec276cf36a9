"""Calibration: a bar on the screen that flashes at exact media times, so that a rig can measure lip-sync from outside.

A test utterance with a click at each flash's beginning, a camera or capture card, and a microphone are all it takes:
what the rig sees and hears needs no help from inside. Only for measuring; `face.calibration` switches it on.
"""

from collections.abc import Callable
from typing import Final

from mien.units import ns_to_ms

# No two gaps are alike (606, 706, 509, 1013, 825 ms), so that a whole pattern matches at one place only; and none is a
# multiple of a display's period, or each flash would fall on the same place between two pictures.
PERIOD_MS: Final = 3659
FLASHES_MS: Final = (407, 1013, 1719, 2228, 3241)
# Long enough for a picture at 5 Hz to show it: an emulated board draws no faster.
FLASH_MS: Final = 200


def is_lit(media_ns: int) -> bool:
    """Whether the bar is lit at a media time; never before the first sound."""
    if media_ns < 0:
        return False
    at_ms = ns_to_ms(media_ns) % PERIOD_MS
    return any(start <= at_ms < start + FLASH_MS for start in FLASHES_MS)


def flash_times_ms(length_ms: float) -> list[int]:
    """The media times in [0, length_ms) at which a flash begins: where the test utterance has its clicks."""
    rounds = range(0, int(length_ms) + 1, PERIOD_MS)
    return [at for begin in rounds for start in FLASHES_MS if (at := begin + start) < length_ms]


class Calibration:
    """Draws the bar over each picture. paint(lit): puts it into the picture last drawn."""

    def __init__(self, paint: Callable[[bool], None]) -> None:
        self._paint = paint

    def after_draw(self, media_ns: int) -> None:
        """media_ns: the media time for which the picture was drawn; -1 where no speech is shown."""
        self._paint(is_lit(media_ns))
