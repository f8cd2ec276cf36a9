"""Rate limit for log lines that are triggered from outside."""

from mien.units import NS_PER_S


class LogLimit:
    """Passes `burst` lines at once, then one every `every_s` seconds, and counts the lines in between."""

    def __init__(self, *, burst: int = 5, every_s: float = 10.0) -> None:
        self._burst = burst
        self._every_ns = round(every_s * NS_PER_S)
        self._left = burst
        self._filled_ns = 0
        self._dropped = 0

    def line(self, text: str, now_ns: int) -> str | None:
        """The text to log, with the number of suppressed lines before it, or None. now_ns: CLOCK_MONOTONIC."""
        if self._left == self._burst:
            self._filled_ns = now_ns
        earned = (now_ns - self._filled_ns) // self._every_ns
        self._left = min(self._burst, self._left + earned)
        self._filled_ns += earned * self._every_ns
        if self._left == 0:
            self._dropped += 1
            return None
        self._left -= 1
        dropped, self._dropped = self._dropped, 0
        return f"{text} ({dropped} more like it were not logged)" if dropped else text
