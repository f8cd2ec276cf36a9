"""Screen brightness: bright, dim or dark, by an operator's order, quiet hours, silence, presence. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from mien.config import ScreenConfig
from mien.core.bus import ScreenOrder
from mien.units import NS_PER_S, minutes_of_day

Mode = Literal["on", "dim", "dark"]
WallClock = Callable[[], datetime]  # local time

AWAKE_NS: Final = 30 * NS_PER_S  # how long the screen stays bright in quiet hours after the last sign of presence
_DIMS_NS: Final = 2 * NS_PER_S
_BRIGHTENS_NS: Final = NS_PER_S // 4


@dataclass(frozen=True, slots=True)
class QuietHours:
    """from_minute (inclusive) to until_minute (exclusive), in minutes since midnight, 0..1440; may span midnight.

    Compared with local wall-clock time: when daylight saving time begins or ends, the quiet hours are an hour shorter
    or longer.
    """

    from_minute: int
    until_minute: int

    def hold(self, now: datetime) -> bool:
        """Whether this local time is within the quiet hours."""
        minute = 60 * now.hour + now.minute
        if self.from_minute < self.until_minute:
            return self.from_minute <= minute < self.until_minute
        return minute >= self.from_minute or minute < self.until_minute


def quiet_hours(config: ScreenConfig) -> QuietHours | None:
    """The quiet hours of a configuration that load_config() has validated; None if it has none."""
    if not config.quiet_from:
        return None
    return QuietHours(minutes_of_day(config.quiet_from), minutes_of_day(config.quiet_until))


class ScreenMode:
    """Stepped with every frame; present() may be called from any thread.

    mode, level: as of the last step(). level: 0..1, the brightness factor, fading towards the mode's own. order: what
    an operator wants; replaced as a whole. attended: a person elsewhere listens or speaks, whose sign must be seen.
    """

    def __init__(self, config: ScreenConfig, wall: WallClock, now_ns: int) -> None:
        """wall: local time. now_ns: CLOCK_MONOTONIC; starting counts as presence."""
        self._hours = quiet_hours(config)
        self._dim = config.dim
        self._off_after_ns = config.off_after_s * NS_PER_S
        self._wall = wall
        self._present_ns = self._last_ns = now_ns
        self.mode: Mode = "on"
        self.level = 1.0
        self.order = ScreenOrder(epoch=0)
        self.attended = False

    @property
    def bright(self) -> bool:
        """Whether it is as bright as somebody in front of it would see it."""
        return self.mode == "on" and self.level >= self.order.brightness

    @property
    def switched_off(self) -> bool:
        """Whether an operator keeps it dark: nothing in front of it wakes it."""
        return self.order.power == "off" and not self.attended

    def present(self, now_ns: int) -> None:
        """Record that somebody is present: they spoke, were spoken to, or a sensor saw them."""
        self._present_ns = max(self._present_ns, now_ns)

    def step(self, now_ns: int) -> Mode:
        """The mode at now_ns. Waking is immediate; dimming and darkening fade."""
        alone_ns = now_ns - self._present_ns
        quiet = self._hours is not None and self._hours.hold(self._wall())
        if self.attended or self.order.power != "auto":
            self.mode = "dark" if self.switched_off else "on"
            self._fade(now_ns)
            return self.mode
        may_go_dark = self._off_after_ns > 0 and (quiet or self._hours is None)
        if may_go_dark and alone_ns >= self._off_after_ns:
            self.mode = "dark"
        else:
            self.mode = "dim" if quiet and self._dim < 1.0 and alone_ns >= AWAKE_NS else "on"
        self._fade(now_ns)
        return self.mode

    def _fade(self, now_ns: int) -> None:
        passed_ns = max(0, now_ns - self._last_ns)
        self._last_ns = max(now_ns, self._last_ns)
        wanted = {"on": 1.0, "dim": self._dim, "dark": 0.0}[self.mode] * self.order.brightness
        if self.level < wanted:
            self.level = min(wanted, self.level + passed_ns / _BRIGHTENS_NS)
        else:
            self.level = max(wanted, self.level - passed_ns / _DIMS_NS)
