"""Conversions between the units in mien's names: frames, ms, s, ns.

Times are integer nanoseconds inside the package. In these functions "frames" are audio frames: one sample of one
channel, since all speech is mono.
"""

import re

NS_PER_MS = 1_000_000
NS_PER_S = 1_000_000_000


def minutes_of_day(text: str) -> int:
    """Minutes since midnight of a time of day as "22:00", up to "24:00". Raises ValueError for anything else."""
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00", text):
        raise ValueError(f'{text!r} is no time of day: write hours and minutes, as "22:00"')
    hours, minutes = text.split(":")
    return 60 * int(hours) + int(minutes)


def frames_to_ns(frames: int, rate_hz: int) -> int:
    """The duration of `frames` at `rate_hz`, in ns, rounded down."""
    return frames * NS_PER_S // rate_hz


def ns_to_frames(duration_ns: int, rate_hz: int) -> int:
    """How many whole frames at `rate_hz` fit into `duration_ns` (rounded down, also below zero)."""
    return duration_ns * rate_hz // NS_PER_S


def ms_to_ns(duration_ms: float) -> int:
    """Milliseconds to integer nanoseconds."""
    return int(duration_ms * NS_PER_MS)


def ns_to_ms(duration_ns: int) -> float:
    """Nanoseconds to milliseconds."""
    return duration_ns / NS_PER_MS


def ms_to_frames(duration_ms: float, rate_hz: int) -> int:
    """How many whole frames at `rate_hz` fit into `duration_ms`."""
    return int(duration_ms * rate_hz / 1000)


def frames_to_ms(frames: int, rate_hz: int) -> float:
    """The duration of `frames` at `rate_hz`, in ms."""
    return frames * 1000 / rate_hz
