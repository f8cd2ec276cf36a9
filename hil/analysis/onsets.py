"""Onset detection for clicks and sound."""

import numpy as np
from numpy.typing import NDArray

from hil.captured import Sound

QUIET_MS = 60  # of silence separate two onsets
SHARE_OF_PEAK = 0.2  # a click begins where it first reaches this fraction of its peak
NOISE_FLOOR = 200  # of int16: far above a sound card's own noise


def loudness(
    sound: Sound, window_ms: float = 20.0, step_ms: float = 5.0
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """RMS over windows: times of their centres in ns, int64 (N,), and levels, float64 (N,)."""
    window, step = (max(1, round(ms * sound.rate_hz / 1000)) for ms in (window_ms, step_ms))
    power = np.concatenate([[0.0], np.cumsum(sound.pcm.astype(np.float64) ** 2)])
    starts = np.arange(0, max(0, len(sound.pcm) - window), step)
    level = np.sqrt(np.maximum(power[starts + window] - power[starts], 0.0) / window)
    middles = sound.start_ns + ((starts + window / 2) * 1e9 / sound.rate_hz).astype(np.int64)
    return middles, level


def click_times_ns(sound: Sound, floor: int = NOISE_FLOOR) -> list[int]:
    """Start of each click, in ns: the first sample of SHARE_OF_PEAK after QUIET_MS below it."""
    size = np.abs(sound.pcm.astype(np.int32))
    peak = int(size.max(initial=0))
    if peak <= floor:
        return []
    loud = np.flatnonzero(size >= max(floor, SHARE_OF_PEAK * peak))
    quiet = np.diff(loud, prepend=-sound.rate_hz) > QUIET_MS * sound.rate_hz / 1000
    return [sound.time_ns(at) for at in loud[quiet]]


def first_sound_ns(sound: Sound, floor: int = NOISE_FLOOR) -> int | None:
    """When sound was first heard; None for silence."""
    loud = np.flatnonzero(np.abs(sound.pcm.astype(np.int32)) > floor)
    return sound.time_ns(loud[0]) if len(loud) else None


def last_sound_ns(sound: Sound, floor: int = NOISE_FLOOR) -> int | None:
    """When sound was last heard; None for silence."""
    loud = np.flatnonzero(np.abs(sound.pcm.astype(np.int32)) > floor)
    return sound.time_ns(loud[-1] + 1) if len(loud) else None


def stopped_ns(sound: Sound, since_ns: int, quiet_ms: float = QUIET_MS, floor: int = NOISE_FLOOR) -> int | None:
    """Time of the last sound before the first quiet period of quiet_ms after since_ns; None without one."""
    later = sound.between(since_ns, sound.end_ns)
    loud = np.flatnonzero(np.abs(later.pcm.astype(np.int32)) > floor)
    ends = np.append(loud, len(later.pcm)) if len(loud) else np.array([len(later.pcm)])
    starts = np.insert(loud + 1, 0, 0) if len(loud) else np.array([0])
    quiet = np.flatnonzero(ends - starts >= quiet_ms * sound.rate_hz / 1000)
    return later.time_ns(int(starts[quiet[0]])) if len(quiet) else None


def stalls_ms(sound: Sound, least_ms: float = 5.0, floor: int = NOISE_FLOOR) -> list[float]:
    """Durations of silences of least_ms or more between the first and the last sound, for speech without pauses."""
    loud = np.flatnonzero(np.abs(sound.pcm.astype(np.int32)) > floor)
    gaps = np.diff(loud) * 1000 / sound.rate_hz
    return [float(gap) for gap in gaps[gaps >= least_ms]]
