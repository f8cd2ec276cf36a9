"""The machine's monotonic clock, which all processes share."""

import time

from mien.units import NS_PER_S


class MonotonicClock:
    """CLOCK_MONOTONIC as a `mien.core.clock.Clock`."""

    def now_ns(self) -> int:
        """CLOCK_MONOTONIC, in ns."""
        return time.monotonic_ns()


def sleep_until_ns(deadline_ns: int) -> None:
    """Sleep until CLOCK_MONOTONIC has reached `deadline_ns`; a deadline in the past returns at once."""
    while (left_ns := deadline_ns - time.monotonic_ns()) > 0:
        time.sleep(left_ns / NS_PER_S)
