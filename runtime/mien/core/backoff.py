"""Backoff after repeated failures: what has failed again is tried or trusted later each time."""

from collections.abc import Callable

from mien.units import NS_PER_S

FIRST_DELAY_NS = 2 * NS_PER_S
MAX_NS = 60 * NS_PER_S
CALM_NS = 120 * NS_PER_S


class Backoff:
    """Keeps the degradation level from flapping when a component fails repeatedly (a face on a board that is too slow).

    After its first failure a process is trusted at once, after the second 2 s later, then 4, 8 and so on up to 60 s.
    Two minutes without a failure reset it, and so does a new process: systemd's restart limit handles those.
    """

    def __init__(self) -> None:
        self._pid = 0
        self._failures = 0
        self._failed_ns = 0

    def failed(self, pid: int, now_ns: int) -> None:
        """The process `pid` has failed, at now_ns of CLOCK_MONOTONIC."""
        if pid != self._pid or now_ns - self._failed_ns - self._delay_ns >= CALM_NS:
            self._failures = 0
        self._pid = pid
        self._failures += 1
        self._failed_ns = now_ns

    def over(self, pid: int, now_ns: int) -> bool:
        """Whether the process `pid` may be trusted at now_ns."""
        return pid != self._pid or now_ns - self._failed_ns >= self._delay_ns

    @property
    def _delay_ns(self) -> int:
        """0 after the first failure."""
        return 0 if self._failures < 2 else min(MAX_NS, FIRST_DELAY_NS << min(self._failures - 2, 8))


class Retry:
    """Delays between attempts: they double up to max_s, and chance takes up to half of each.

    chance: returns 0..1, such as random.random: a thousand boards must not return to a broker in the same second.
    """

    def __init__(self, max_s: float, chance: Callable[[], float], *, first_s: float = 0.5) -> None:
        self._max_s = max_s
        self._chance = chance
        self._first_s = first_s
        self._failures = 0

    def next_s(self) -> float:
        """The delay after one more failure, in s."""
        longest = min(self._max_s, self._first_s * 2.0 ** min(self._failures, 16))
        self._failures += 1
        return longest * (0.5 + 0.5 * self._chance())

    def reset(self) -> None:
        """It worked: the next failure is the first."""
        self._failures = 0
