"""Whether speech is heard for which there is no motion: then the face rests, and says so."""

from mien.units import NS_PER_MS

LATE_NS = (
    400 * NS_PER_MS
)  # motion that ends so long before what is heard is not shown: a frozen mouth is worse than none
_LOST_NS = 500 * NS_PER_MS


class MotionWatch:
    """lost: speech has been heard without motion for half a second."""

    def __init__(self) -> None:
        self.lost = False
        self._since_ns: int | None = None

    def step(self, now_ns: int, *, speaking: bool, live: bool) -> None:
        """One picture. speaking: speech is heard. live: there is motion for it."""
        if live or not speaking:
            self._since_ns, self.lost = None, False
            return
        if self._since_ns is None:
            self._since_ns = now_ns
        self.lost = now_ns - self._since_ns >= _LOST_NS
