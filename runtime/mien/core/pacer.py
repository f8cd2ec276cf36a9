"""When a frame that is drawn now will be visible: the display's refresh grid, followed or generated. Pure."""

from typing import Final

# The share of an observed deviation that corrects the phase and the period. The scheduler delays flip times; a
# display's clock is off by parts per million. Both gains settle in about a second at 60 Hz without ringing.
PHASE_GAIN: Final = 0.1
PERIOD_GAIN: Final = 0.005
# No display deviates further from its nominal period; the grid follows no further.
MAX_PERIOD_ERROR: Final = 0.05
# How early, in periods, a wait for a refresh may end and still count as complete.
EARLY_SHARE: Final = 0.25


class DisplayPacer:
    """The refreshes of one display, on CLOCK_MONOTONIC, in ns.

    With vsync, presented() learns the grid from the times at which flips return. Without vsync the pacer generates an
    absolute grid that starts at the first call, and the caller waits wait_ns() before it draws the next frame.
    shown, missed: refreshes that showed a new frame, and refreshes that repeated the old one because none was ready.
    """

    def __init__(self, period_ns: int, *, depth: int = 1) -> None:
        """period_ns: between refreshes. depth: refreshes between drawing and seeing, 2 if a flip only queues.

        Raises ValueError for a period or a depth below 1.
        """
        if period_ns < 1 or depth < 1:
            raise ValueError(f"a display needs a period and a depth of at least 1, not {period_ns} ns and {depth}")
        self.shown = 0
        self.missed = 0
        self._nominal_ns = period_ns
        self._depth = depth
        self.reset()

    @property
    def period_ns(self) -> float:
        """The current estimate of the period."""
        return self._period_ns

    def reset(self) -> None:
        """Drop the grid, for a display that was reopened. The counters stay."""
        self._period_ns = float(self._nominal_ns)
        self._phase_ns: float | None = None
        self._last_shown_ns: float | None = None

    def next_visible_ns(self, now_ns: int) -> int:
        """The first refresh that can show a frame drawn from now on; always later than now."""
        after = float(now_ns) + (self._depth - 1) * self._period_ns
        earliest = self._slot_after(after)
        if self._last_shown_ns is not None:
            earliest = max(earliest, self._last_shown_ns + self._period_ns)
        return round(earliest)

    def rested(self, now_ns: int) -> None:
        """Nothing was drawn on purpose: the refreshes before the next possible one do not count as missed."""
        if self._last_shown_ns is not None:
            made_ns = self._slot_after(float(now_ns) + (self._depth - 1) * self._period_ns)
            self._last_shown_ns = max(self._last_shown_ns, made_ns - self._period_ns)

    def presented(self, now_ns: int, vsync: bool) -> int:
        """Count the frame that was just presented. Returns when it is visible, in ns.

        now_ns: when present() returned. vsync: whether present() waited for a refresh, so that now_ns is on the grid.
        A late frame is visible at the next free refresh, and each refresh without a frame before it is missed.
        """
        if vsync:
            self._follow(float(now_ns))
            seen_ns = self._nearest(float(now_ns)) + (self._depth - 1) * self._period_ns
        else:
            seen_ns = self._own_slot(float(now_ns))
        self._count(seen_ns)
        return round(seen_ns)

    def wait_ns(self, now_ns: int) -> int:
        """How long to wait, without vsync, until the last presented frame is on the screen; at least 0.

        The next frame, drawn right after, then has a whole period to be ready.
        """
        if self._last_shown_ns is None:
            return 0
        due_ns = self._last_shown_ns - (self._depth - 1) * self._period_ns
        return max(0, round(due_ns - now_ns))

    def _own_slot(self, now_ns: float) -> float:
        slot_ns = self._slot_after(now_ns + (self._depth - 1) * self._period_ns)
        if self._last_shown_ns is None or slot_ns > self._last_shown_ns:
            return slot_ns
        # A timer that fires slightly early must not assign two frames to one refresh.
        woke_early = self.wait_ns(round(now_ns)) < EARLY_SHARE * self._period_ns
        return self._last_shown_ns + self._period_ns if woke_early else slot_ns

    def _count(self, seen_ns: float) -> None:
        if self._last_shown_ns is None:
            self.shown += 1
        else:
            steps = round((seen_ns - self._last_shown_ns) / self._period_ns)
            self.shown += min(1, max(0, steps))
            self.missed += max(0, steps - 1)
        self._last_shown_ns = max(seen_ns, self._last_shown_ns or seen_ns)

    def _grid_ns(self, near_ns: float) -> float:
        if self._phase_ns is None:
            self._phase_ns = near_ns
        return self._phase_ns

    def _slot_after(self, time_ns: float) -> float:
        phase = self._grid_ns(time_ns)
        return phase + ((time_ns - phase) // self._period_ns + 1) * self._period_ns

    def _nearest(self, time_ns: float) -> float:
        phase = self._grid_ns(time_ns)
        return phase + round((time_ns - phase) / self._period_ns) * self._period_ns

    def _follow(self, flip_ns: float) -> None:
        slot_ns = self._nearest(flip_ns)
        error_ns = flip_ns - slot_ns
        self._phase_ns = slot_ns + PHASE_GAIN * error_ns
        room_ns = MAX_PERIOD_ERROR * self._nominal_ns
        period_ns = self._period_ns + PERIOD_GAIN * error_ns
        self._period_ns = min(max(period_ns, self._nominal_ns - room_ns), self._nominal_ns + room_ns)
