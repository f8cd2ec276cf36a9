"""Body movement: breath, head sway, occasional shifts of posture."""

import math
import random

from mien.face.behaviour.curves import Spring, smoothstep

# At rest, inhaling takes about two fifths of a breath.
_INHALE_SHARE = 0.4
# Amplitudes in radians of pitch, yaw and roll; periods in seconds, without a short common multiple.
_SWAY = ((0.0045, 0.0070, 0.0050), (5.3, 8.9, 13.7))
_SHIFT_RAD = (0.018, 0.034, 0.026)
_LIVELINESS_RATE = 3.0
# Duration of a shift as a share of the shortest pause between two, so that it ends before the next.
_SHIFT_SHARE = 0.8
_SLOWEST_S = 1.8
_FORGOTTEN_S = 5.0


class Breath:
    """A phase that advances at the rate of the current state."""

    def __init__(self) -> None:
        self._phase = 0.0
        self._last_s = 0.0

    def at(self, now_s: float, breath_s: float) -> float:
        """0 exhaled .. 1 inhaled. breath_s: duration of one breath."""
        self._phase = (self._phase + max(0.0, now_s - self._last_s) / breath_s) % 1.0
        self._last_s = max(now_s, self._last_s)
        if self._phase < _INHALE_SHARE:
            return smoothstep(self._phase / _INHALE_SHARE)
        return 1.0 - smoothstep((self._phase - _INHALE_SHARE) / (1.0 - _INHALE_SHARE))


class Posture:
    """angles: pitch, yaw and roll of the head in radians."""

    def __init__(self, source: random.Random) -> None:
        self._random = source
        self.angles = [0.0, 0.0, 0.0]
        self._offsets = [[source.uniform(0, 2 * math.pi) for _ in _SWAY[1]] for _ in range(3)]
        self._springs = [Spring(5.0 / _SLOWEST_S) for _ in range(3)]
        self._liveliness = Spring(_LIVELINESS_RATE)
        self._goal = [0.0, 0.0, 0.0]
        self._last_s = 0.0
        self._next_s = source.uniform(1.0, 4.0)

    def stir(self, now_s: float) -> None:
        """Schedule a shift soon, because something changed."""
        self._next_s = min(self._next_s, now_s + self._random.uniform(0.1, 0.5))

    def at(self, now_s: float, liveliness: float, every_s: tuple[float, float]) -> None:
        """Advance to now_s. liveliness: scale of the movements, 1 at rest. every_s: shortest and longest pause."""
        if now_s - self._next_s > _FORGOTTEN_S:
            self._next_s = now_s
        while self._next_s <= now_s:
            self._settle(self._next_s, liveliness)
            self._goal = [self._random.uniform(-most, most) for most in _SHIFT_RAD]
            self._next_s += self._random.uniform(*every_s)
            for spring in self._springs:
                spring.rate = 5.0 / min(_SLOWEST_S, _SHIFT_SHARE * every_s[0])
        self._settle(now_s, liveliness)
        for axis in range(3):
            self.angles[axis] = self._liveliness.value * (self._springs[axis].value + self._sway(axis, now_s))

    def _settle(self, now_s: float, liveliness: float) -> None:
        duration_s = max(0.0, now_s - self._last_s)
        self._liveliness.step(liveliness, duration_s)
        for spring, goal in zip(self._springs, self._goal, strict=True):
            spring.step(goal, duration_s)
        self._last_s = max(now_s, self._last_s)

    def _sway(self, axis: int, now_s: float) -> float:
        first, second, third = self._offsets[axis]
        slow, slower, slowest = _SWAY[1]
        turn = 2 * math.pi * now_s
        waves = math.sin(turn / slow + first) + math.sin(turn / slower + second) + math.sin(turn / slowest + third)
        return _SWAY[0][axis] * waves / 2
