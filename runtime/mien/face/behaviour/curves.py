"""The shapes of movements in time. Pure scalar functions, cheap enough for every frame."""

import math


def clamp01(value: float) -> float:
    """value limited to 0..1."""
    return 0.0 if value < 0.0 else min(value, 1.0)


def smoothstep(x: float) -> float:
    """0 below 0, 1 above 1, level at both ends."""
    x = clamp01(x)
    return x * x * (3.0 - 2.0 * x)


def minimum_jerk(x: float) -> float:
    """The course of a reach from 0 to 1 (Flash and Hogan, 1985); limited to 0..1."""
    x = clamp01(x)
    return x * x * x * (10.0 + x * (6.0 * x - 15.0))


def keyframes(time_s: float, times_s: tuple[float, ...], values: tuple[float, ...]) -> float:
    """The value at time_s of keys joined by smoothstep; the first and last values hold outside."""
    if time_s <= times_s[0]:
        return values[0]
    for number in range(1, len(times_s)):
        if time_s < times_s[number]:
            start = times_s[number - 1]
            share = smoothstep((time_s - start) / (times_s[number] - start))
            return values[number - 1] + share * (values[number] - values[number - 1])
    return values[-1]


class Spring:
    """A critically damped spring, solved exactly: however the time is cut into steps, the course is the same."""

    def __init__(self, rate: float) -> None:
        """rate: natural frequency in rad/s; the way is gone to 96 % after 5 / rate seconds. It may be changed."""
        self.value = 0.0
        self._velocity = 0.0
        self.rate = rate

    def step(self, target: float, duration_s: float) -> float:
        """Let the spring pull towards target for duration_s. Returns the value there."""
        offset = self.value - target
        drift = self._velocity + self.rate * offset
        decay = math.exp(-self.rate * duration_s)
        self.value = target + (offset + drift * duration_s) * decay
        self._velocity = (self._velocity - drift * self.rate * duration_s) * decay
        return self.value
