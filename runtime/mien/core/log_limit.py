"""A bound on how often one kind of line is logged: a flood of mistakes must not become a flood of lines."""


class LogLimit:
    """Allows one line each interval; `dropped` counts those since the last that was allowed."""

    def __init__(self, interval_ns: int) -> None:
        self._interval_ns = interval_ns
        self._next_ns = 0
        self.dropped = 0

    def allow(self, now_ns: int) -> bool:
        """Whether a line may be logged now."""
        if now_ns < self._next_ns:
            self.dropped += 1
            return False
        self._next_ns = now_ns + self._interval_ns
        self.dropped = 0
        return True
