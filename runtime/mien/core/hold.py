"""How long what failed is not trusted again: not at all the first time, then longer at each failure."""

from mien.units import NS_PER_S

FIRST_NS = 2 * NS_PER_S
MOST_NS = 60 * NS_PER_S
CALM_NS = 120 * NS_PER_S


class Hold:
    """One that fails again and again (a face on a board that is too slow for it) must not make the level flap.

    After its first failure it is trusted at once; after the second only 2 s later, then 4, 8 and so on up to 60 s. Two
    minutes without a failure are a clean slate, and so is a new process in its place, which systemd's budget judges.
    """

    def __init__(self) -> None:
        self._who = 0
        self._failures = 0
        self._failed_ns = 0

    def failed(self, who: int, now_ns: int) -> None:
        """The process `who` has failed, at now_ns of CLOCK_MONOTONIC."""
        if who != self._who or now_ns - self._failed_ns - self._hold_ns >= CALM_NS:
            self._failures = 0
        self._who = who
        self._failures += 1
        self._failed_ns = now_ns

    def over(self, who: int, now_ns: int) -> bool:
        """Whether the process `who` may be trusted at now_ns."""
        return who != self._who or now_ns - self._failed_ns >= self._hold_ns

    @property
    def _hold_ns(self) -> int:
        """0 after the first failure."""
        return 0 if self._failures < 2 else min(MOST_NS, FIRST_NS << min(self._failures - 2, 8))
