"""Movement curves over time: easing functions, keyframes, springs, fades between poses."""

import math

import numpy as np

from mien.core.pose import Pose, new_pose


def clamp01(value: float) -> float:
    """Limit a value to 0..1."""
    return 0.0 if value < 0.0 else min(value, 1.0)


def smoothstep(x: float) -> float:
    """0 below 0, 1 above 1, with zero slope at both ends."""
    x = clamp01(x)
    return x * x * (3.0 - 2.0 * x)


def minimum_jerk(x: float) -> float:
    """The minimum-jerk profile from 0 to 1 (Flash and Hogan, 1985); x is limited to 0..1."""
    x = clamp01(x)
    return x * x * x * (10.0 + x * (6.0 * x - 15.0))


def keyframes(time_s: float, times_s: tuple[float, ...], values: tuple[float, ...]) -> float:
    """The value at time_s between keys joined by smoothstep; the first and last values hold outside."""
    if time_s <= times_s[0]:
        return values[0]
    for number in range(1, len(times_s)):
        if time_s < times_s[number]:
            start = times_s[number - 1]
            share = smoothstep((time_s - start) / (times_s[number] - start))
            return values[number - 1] + share * (values[number] - values[number - 1])
    return values[-1]


class Spring:
    """A critically damped spring, solved exactly: the result does not depend on the step size."""

    def __init__(self, rate: float) -> None:
        """rate: natural frequency in rad/s; 96 % of the way takes 5 / rate seconds. May be changed at any time."""
        self.value = 0.0
        self._velocity = 0.0
        self.rate = rate

    def step(self, target: float, duration_s: float) -> float:
        """Advance towards target by duration_s. Returns the new value."""
        offset = self.value - target
        drift = self._velocity + self.rate * offset
        decay = math.exp(-self.rate * duration_s)
        self.value = target + (offset + drift * duration_s) * decay
        self._velocity = (self._velocity - drift * self.rate * duration_s) * decay
        return self.value


class Fade:
    """A smooth transition between poses. at() rewrites `value` in place."""

    def __init__(self) -> None:
        self.value = new_pose()
        self._start = new_pose()
        self._way = new_pose()
        self._begun_s = 0.0
        self._lasts_s = 0.0

    def to(self, target: Pose, now_s: float, lasts_s: float, scale: float = 1.0) -> None:
        """Start a transition from the current value to target * scale, over lasts_s."""
        self.at(now_s)
        np.copyto(self._start, self.value)
        np.multiply(target, scale, out=self._way)
        np.subtract(self._way, self._start, out=self._way)
        self._begun_s = now_s
        self._lasts_s = lasts_s

    def at(self, now_s: float) -> Pose:
        """The pose at now_s, which is `value`."""
        share = minimum_jerk((now_s - self._begun_s) / self._lasts_s) if self._lasts_s > 0 else 1.0
        np.multiply(self._way, share, out=self.value)
        np.add(self.value, self._start, out=self.value)
        return self.value
