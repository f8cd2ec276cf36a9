"""Blinks: their timing, the movement of the lids."""

import random

from mien.face.behaviour.curves import smoothstep

# A spontaneous blink closes in about 80 ms and opens in twice that (Evinger, Manning and Sibony, 1991). The lids stay
# shut long enough for one frame at 24 Hz.
CLOSING_S = 0.080
SHUT_S = 0.045
OPENING_S = 0.170
BLINK_S = CLOSING_S + SHUT_S + OPENING_S
# Intervals between blinks are log-normal; half of them lie within a factor of 1.4 of the median.
_SPREAD = 0.5
_SHORTEST_S = 0.9
_DOUBLE_SHARE = 0.12
_DOUBLE_PAUSE_S = 0.12
# After a longer gap between frames, missed movements are skipped rather than replayed.
_FORGOTTEN_S = 5.0


def closure(age_s: float) -> float:
    """Lid closure, 0..1, age_s after a blink began."""
    if age_s < CLOSING_S:
        return smoothstep(age_s / CLOSING_S)
    return 1.0 - smoothstep((age_s - CLOSING_S - SHUT_S) / OPENING_S)


class Blinker:
    """Draws blink times ahead, so that they do not depend on the frame rate."""

    def __init__(self, source: random.Random) -> None:
        self._random = source
        self._begun_s = -BLINK_S
        self._next_s = source.uniform(0.8, 2.5)

    @property
    def next_s(self) -> float:
        """When the next blink begins, unless blink() is called first."""
        return self._next_s

    def moves(self, now_s: float) -> bool:
        """Whether a blink is in progress."""
        return now_s - self._begun_s < BLINK_S

    def at(self, now_s: float, median_s: float) -> float:
        """Lid closure, 0..1. median_s: between blinks, in the current state."""
        if now_s - self._next_s > _FORGOTTEN_S:
            self._next_s = now_s
        while self._next_s <= now_s:
            self._begin(self._next_s, median_s)
        return closure(now_s - self._begun_s)

    def blink(self, now_s: float, median_s: float) -> None:
        """Blink now unless one has just ended: people do at phrase ends and with large gaze shifts."""
        if now_s - self._begun_s > BLINK_S + _SHORTEST_S:
            self._begin(now_s, median_s)

    def _begin(self, when_s: float, median_s: float) -> None:
        self._begun_s = when_s
        if self._random.random() < _DOUBLE_SHARE:
            self._next_s = when_s + BLINK_S + _DOUBLE_PAUSE_S
        else:
            self._next_s = when_s + max(_SHORTEST_S, self._random.lognormvariate(0.0, _SPREAD) * median_s)
