"""Quiet hours, by the wall clock's time of day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from mien.config import ScreenConfig
from mien.units import minutes_of_day

WallClock = Callable[[], datetime]  # local time


@dataclass(frozen=True, slots=True)
class QuietHours:
    """from_minute up to, but not with, until_minute: minutes since midnight, 0..1440; they may lie round midnight.

    Only the time that the clock on the wall shows counts: where summer time begins or ends, the hours are as much
    shorter or longer as everybody's night.
    """

    from_minute: int
    until_minute: int

    def hold(self, now: datetime) -> bool:
        """Whether it is quiet at this local time."""
        minute = 60 * now.hour + now.minute
        if self.from_minute < self.until_minute:
            return self.from_minute <= minute < self.until_minute
        return minute >= self.from_minute or minute < self.until_minute


def quiet_hours(config: ScreenConfig) -> QuietHours | None:
    """The configured ones, which load_config() has checked; None where there are none."""
    if not config.quiet_from:
        return None
    return QuietHours(minutes_of_day(config.quiet_from), minutes_of_day(config.quiet_until))
