"""How bright the screen should be now."""

from typing import Final, Literal

from mien.config import ScreenConfig
from mien.face.screen.quiet_hours import WallClock, quiet_hours
from mien.units import NS_PER_S

Mode = Literal["on", "dim", "dark"]

AWAKE_NS: Final = 30 * NS_PER_S  # in quiet hours the screen stays bright so long after the last sign of anybody
_DIMS_NS: Final = 2 * NS_PER_S
_BRIGHTENS_NS: Final = NS_PER_S // 4


class ScreenMode:
    """Asked at every look at the face; present() may come from any thread.

    mode, level: as of the last step(). level: 0..1, what the picture is multiplied by, on its way to where it belongs.
    """

    def __init__(self, config: ScreenConfig, wall: WallClock, now_ns: int) -> None:
        """wall: local time. now_ns: CLOCK_MONOTONIC; starting counts as somebody's presence."""
        self._hours = quiet_hours(config)
        self._dim = config.dim
        self._off_after_ns = config.off_after_s * NS_PER_S
        self._wall = wall
        self._present_ns = self._last_ns = now_ns
        self.mode: Mode = "on"
        self.level = 1.0

    def present(self, now_ns: int) -> None:
        """Somebody is there: they spoke, were spoken to, or a sensor saw them."""
        self._present_ns = max(self._present_ns, now_ns)

    def step(self, now_ns: int) -> Mode:
        """What the screen is to be now. Waking is at once; what turns dark has faded before."""
        alone_ns = now_ns - self._present_ns
        quiet = self._hours is not None and self._hours.hold(self._wall())
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
        wanted = {"on": 1.0, "dim": self._dim, "dark": 0.0}[self.mode]
        if self.level < wanted:
            self.level = min(wanted, self.level + passed_ns / _BRIGHTENS_NS)
        else:
            self.level = max(wanted, self.level - passed_ns / _DIMS_NS)
