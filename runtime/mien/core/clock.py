"""Time as an object, so that everything that waits or measures can be stepped by hand."""

from typing import Protocol


class Clock(Protocol):
    """A monotonic clock in ns, shared by every process of a machine."""

    def now_ns(self) -> int:
        """CLOCK_MONOTONIC, in ns."""
        ...


class ManualClock:
    """A clock that only advances when it is told to, for tests and simulations."""

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """The current time of this clock."""
        return self._now_ns

    def advance_ns(self, duration_ns: int) -> None:
        """Advance. Raises ValueError for a negative duration: the clock is monotonic."""
        if duration_ns < 0:
            raise ValueError("a monotonic clock does not go back")
        self._now_ns += duration_ns

    def advance_ms(self, duration_ms: float) -> None:
        """Advance by ms."""
        self.advance_ns(int(duration_ms * 1_000_000))
