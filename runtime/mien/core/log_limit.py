"""A limit on how often one kind of line is logged, so that a flood of bad input cannot fill a disk. Pure."""


class LogLimit:
    """One line an interval. dropped: how many were not logged between the last that was allowed and the one before."""

    def __init__(self, interval_ns: int) -> None:
        """interval_ns: the shortest time between two lines."""
        self._interval_ns = interval_ns
        self._next_ns: int | None = None
        self._held = 0
        self.dropped = 0

    def allow(self, now_ns: int) -> bool:
        """Whether to log now. After True, `dropped` tells how many were held back before this one."""
        if self._next_ns is not None and now_ns < self._next_ns:
            self._held += 1
            return False
        self._next_ns = now_ns + self._interval_ns
        self.dropped, self._held = self._held, 0
        return True
