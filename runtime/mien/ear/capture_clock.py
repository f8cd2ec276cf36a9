"""When each captured frame reached the microphone, by a regression over the device's readings."""

from math import exp
from typing import Final

from mien.units import NS_PER_S

MEMORY_S: Final = 10.0
"""The time after which a reading counts 1/e: long against a device's steps, short against a crystal's warming."""

DRIFT: Final = 1e-4
"""What the drift of a crystal may be, before any reading."""

STEPS_S2: Final = 3e-3**2
QUIET_S2: Final = 3e-4**2
"""Readings that are 3 ms wrong, as of devices with steps of 10 ms, and the least error that is believed: a sound
server wanders slowly, which no two readings show."""

NOISE_READINGS: Final = 20
"""How many readings it takes to know how wrong they are, from one to the next."""

NOISE_SLOWNESS: Final = 0.02

LEAST_PRIOR_S2: Final = 1.0
"""The weight of "no drift" is the error of the readings against that of the drift, squared. It is forgotten like a
reading, or it would shrink the drift for ever, but not below this."""

JUMP_S: Final = 0.06
"""More than the coarsest device's step: the stream really moved."""

JUMP_READINGS: Final = 4
JUMP_NS: Final = 300_000_000
"""How many readings in a row must show a jump, and for how long: a busy sound server is late, then catches up."""


class CaptureClock:
    """Fits a line through (monotonic ns, frames) readings, and so follows the card's drift.

    Devices report their position in steps of up to 10 ms, which the fit averages. drift_ppm is positive for a card that
    is faster than its nominal rate.
    """

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self.restart()

    def restart(self) -> None:
        """The stream was interrupted: drop all readings."""
        self._origin_ns: int | None = None
        self._origin_frame = 0
        self._x = 0.0  # nominal seconds from the origin to the newest reading
        self._weight = self._sum_x = self._sum_y = self._sum_xx = self._sum_xy = 0.0
        self._intercept = self._slope = 0.0
        self._prior_share = 1.0
        self._noise_s2 = STEPS_S2
        self._readings = 0
        self._last_y = 0.0
        self._astray = self._astray_ns = 0
        self._age_s = 0.0

    @property
    def drift_ppm(self) -> float | None:
        """Of the card against CLOCK_MONOTONIC; None before it is known, in the first MEMORY_S."""
        return -self._slope * 1e6 if self._age_s >= MEMORY_S else None

    @property
    def known(self) -> bool:
        """Whether there is a reading."""
        return self._origin_ns is not None

    def observe(self, at_ns: int, frames: int) -> bool:
        """Add a reading. Returns whether the stream has jumped, which drops all readings before."""
        if self._origin_ns is None:
            self._origin_ns, self._origin_frame = at_ns, frames
        x = (frames - self._origin_frame) / self._rate_hz
        y = (at_ns - self._origin_ns) / NS_PER_S - x
        if self._weight and abs(y - self._late_s(x)) > JUMP_S:
            if not self._astray:
                self._astray_ns = at_ns
            self._astray += 1
            if self._astray < JUMP_READINGS or at_ns - self._astray_ns < JUMP_NS:
                return False
            self.restart()
            self.observe(at_ns, frames)
            return True
        self._astray = 0
        self._add(x, y)
        return False

    def time_of_ns(self, frame: int) -> int:
        """When this frame reached the microphone, or will. Call it after the first observe()."""
        assert self._origin_ns is not None
        ahead = frame - self._origin_frame
        late_ns = round(self._late_s(ahead / self._rate_hz) * NS_PER_S)
        return self._origin_ns + ahead * NS_PER_S // self._rate_hz + late_ns

    def _late_s(self, x: float) -> float:
        """How much later than by its nominal rate the frame at x is."""
        return self._intercept + self._slope * (x - self._x)

    def _add(self, x: float, y: float) -> None:
        """Sums are relative to the newest x, so that they stay small for ever."""
        step = x - self._x
        if step > 0:
            kept = exp(-step / MEMORY_S)
            self._sum_xx = kept * (self._sum_xx - 2 * step * self._sum_x + step * step * self._weight)
            self._sum_xy = kept * (self._sum_xy - step * self._sum_y)
            self._sum_x = kept * (self._sum_x - step * self._weight)
            self._sum_y, self._weight = kept * self._sum_y, kept * self._weight
            self._prior_share *= kept
            self._x = x
            self._age_s += step
        self._note_noise(y)
        offset = x - self._x
        self._weight += 1
        self._sum_x += offset
        self._sum_y += y
        self._sum_xx += offset * offset
        self._sum_xy += offset * y
        mean_x, mean_y = self._sum_x / self._weight, self._sum_y / self._weight
        spread = self._sum_xx - mean_x * self._sum_x
        self._slope = (self._sum_xy - mean_x * self._sum_y) / (spread + self._prior())
        self._intercept = mean_y - self._slope * mean_x

    def _note_noise(self, y: float) -> None:
        """Learn how wrong the readings are, by how much each differs from the one before."""
        self._readings += 1
        if self._readings > 1:
            half = 0.5 * (y - self._last_y) ** 2
            slowness = max(NOISE_SLOWNESS, 1.0 / (self._readings - 1))  # at first the plain mean
            measured = half if self._readings == 2 else self._noise_s2
            self._noise_s2 = measured + slowness * (half - measured)
        self._last_y = y

    def _prior(self) -> float:
        noise_s2 = STEPS_S2 if self._readings < NOISE_READINGS else min(STEPS_S2, max(QUIET_S2, self._noise_s2))
        return max(LEAST_PRIOR_S2, self._prior_share * noise_s2 / DRIFT**2)
