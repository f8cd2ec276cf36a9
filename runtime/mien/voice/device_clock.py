"""When each frame of the device is heard, out of noisy positions.

Device outputs of the Pi report position in steps of up to 10 ms, others smoothly (shared measurements in DESIGN.md's
sources). The time at which frame 0 would have been heard is nearly constant, so it is averaged over a short window;
a card that is 100 ppm off its nominal rate then costs a thirtieth of a millisecond.
"""

from mien.units import NS_PER_S

WINDOW = 64
JUMP_NS = 15_000_000  # more than the coarsest device's step: the stream really moved (it ran dry)


class DeviceClock:
    """Feeds on (monotonic ns, frames heard) and answers with smoothed frames heard."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._zeros_ns = [0] * WINDOW
        self.restart()

    def restart(self) -> None:
        """The device stream was broken: forget."""
        self._count = self._sum_ns = self._zero_ns = 0

    def observe(self, now_ns: int, heard_frames: int) -> None:
        """Take one reading of the device."""
        zero_ns = now_ns - heard_frames * NS_PER_S // self._rate_hz
        if self._count and abs(zero_ns - self._zero_ns) > JUMP_NS:
            self.restart()
        slot = self._count % WINDOW
        if self._count >= WINDOW:
            self._sum_ns -= self._zeros_ns[slot]
        self._zeros_ns[slot] = zero_ns
        self._sum_ns += zero_ns
        self._count += 1
        self._zero_ns = self._sum_ns // min(self._count, WINDOW)

    def time_of_ns(self, frame: int) -> int:
        """When this device frame is, was or will be heard, in monotonic ns."""
        return self._zero_ns + frame * NS_PER_S // self._rate_hz

    def frame_at(self, now_ns: int) -> int:
        """The device frame that is heard at now_ns."""
        return (now_ns - self._zero_ns) * self._rate_hz // NS_PER_S
