"""Keeps a log readable where somebody else decides how often there is something to say."""

from mien.units import NS_PER_S


class LogLimit:
    """Lets `burst` lines through at once, and one every `every_s` seconds after that; counts those it leaves out."""

    def __init__(self, *, burst: int = 5, every_s: float = 10.0) -> None:
        self._burst = burst
        self._every_ns = round(every_s * NS_PER_S)
        self._left = burst
        self._filled_ns = 0
        self._dropped = 0

    def line(self, text: str, now_ns: int) -> str | None:
        """What to log now: the text, with how many were left out before it; None: nothing. now_ns: CLOCK_MONOTONIC."""
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
