"""The regression over a capture device's readings."""

import random

import pytest

from mien.ear.capture_clock import CaptureClock
from mien.units import NS_PER_MS, NS_PER_S

RATE_HZ = 48000


def observe(clock, duration_s, *, ppm=0.0, start_ns=10**12, step=1, poll_ms=20, late_ms=0.0, from_s=0.0, seed=1):
    """Readings of a card; returns a function from frame to when it really reached the microphone."""
    hz = RATE_HZ * (1 + ppm / 1e6)
    noise = random.Random(seed)
    worst_ns = 0
    at_s = from_s
    while at_s < from_s + duration_s:
        at_s += poll_ms / 1000 * noise.uniform(0.6, 1.4)
        frames = int(at_s * hz) // step * step
        clock.observe(start_ns + round((at_s + late_ms / 1000 * noise.random()) * NS_PER_S), frames)
        if at_s > 2:
            error_ns = clock.time_of_ns(frames) - (start_ns + round(frames / hz * NS_PER_S))
            worst_ns = max(worst_ns, abs(error_ns))
    return worst_ns / NS_PER_MS


def test_an_ideal_card_is_followed_to_the_microsecond():
    clock = CaptureClock(RATE_HZ)
    assert observe(clock, 20) < 0.03
    assert clock.drift_ppm == pytest.approx(0, abs=0.5)


@pytest.mark.parametrize("ppm", [-200, -50, 100, 200])
def test_drift_leaves_no_error_that_grows(ppm):
    clock = CaptureClock(RATE_HZ)
    assert observe(clock, 60, ppm=ppm) < 0.5  # in the third second, before the drift is known
    assert observe(clock, 20, ppm=ppm, from_s=60) < 0.05
    assert clock.drift_ppm == pytest.approx(ppm, rel=0.05)


@pytest.mark.parametrize("ppm", [-200, 200])
def test_the_drift_of_a_card_that_tells_its_position_smoothly_is_known_within_a_second(ppm):
    clock = CaptureClock(RATE_HZ)
    observe(clock, 1, ppm=ppm, poll_ms=10)
    assert observe(clock, 9, ppm=ppm, poll_ms=10, from_s=1) < 0.06


def test_a_card_that_becomes_restless_is_not_believed_at_once():
    clock = CaptureClock(RATE_HZ)
    observe(clock, 1, poll_ms=10)
    assert observe(clock, 9, late_ms=10, poll_ms=10, from_s=1) < 6.5  # 5 of them are its mean


def test_eight_hours_of_drift_leave_less_than_a_tenth_of_a_millisecond():
    clock = CaptureClock(RATE_HZ)
    hz = RATE_HZ * (1 + 150 / 1e6)
    noise = random.Random(3)
    worst_ms = 0.0
    for index in range(8 * 3600 * 4):
        at_s = index / 4 + noise.uniform(0, 0.1)
        frames = int(at_s * hz)
        clock.observe(round(at_s * NS_PER_S), frames)
        if index > 120:
            worst_ms = max(worst_ms, abs(clock.time_of_ns(frames) / NS_PER_MS - frames / hz * 1000))
    assert worst_ms < 0.1
    assert clock.drift_ppm == pytest.approx(150, abs=15)


def test_a_coarse_card_read_every_20_ms_is_smooth():
    clock = CaptureClock(RATE_HZ)
    assert observe(clock, 60, ppm=80, step=480) < 6
    assert clock.drift_ppm == pytest.approx(80, abs=40)


def test_times_of_neighbouring_blocks_do_not_jitter():
    clock = CaptureClock(RATE_HZ)
    observe(clock, 10, step=480)
    noise = random.Random(2)
    last = None
    for index in range(500):
        at_s = 10 + index * 0.02 + noise.uniform(0, 0.008)
        clock.observe(10**12 + round(at_s * NS_PER_S), int(at_s * RATE_HZ) // 480 * 480)
        time_ns = clock.time_of_ns(480000 + index * 960)
        if last is not None:
            assert abs(time_ns - last - 20 * NS_PER_MS) < 0.1 * NS_PER_MS
        last = time_ns


def test_drift_is_unknown_at_first():
    clock = CaptureClock(RATE_HZ)
    assert not clock.known
    observe(clock, 2)
    assert clock.known
    assert clock.drift_ppm is None


def test_single_late_readings_are_ignored():
    clock = CaptureClock(RATE_HZ)
    observe(clock, 5)
    before = clock.time_of_ns(5 * RATE_HZ)
    assert not clock.observe(10**12 + 5 * NS_PER_S + 300 * NS_PER_MS, 5 * RATE_HZ)
    assert clock.time_of_ns(5 * RATE_HZ) == before


def test_a_stream_that_moved_is_noticed_once_and_followed_at_once():
    clock = CaptureClock(RATE_HZ)
    observe(clock, 5)
    answers = []
    for index in range(26):
        at_s = 5.5 + index * 0.02  # half a second of frames is missing
        answers.append(clock.observe(10**12 + round(at_s * NS_PER_S), round((at_s - 0.5) * RATE_HZ)))
    assert answers == [False] * 15 + [True] + [False] * 10  # 300 ms later
    assert clock.time_of_ns(5 * RATE_HZ) == pytest.approx(10**12 + 5.5 * NS_PER_S, abs=NS_PER_MS)


def test_a_server_that_is_late_for_a_while_has_not_moved():
    clock = CaptureClock(RATE_HZ)
    observe(clock, 5)
    before = clock.time_of_ns(5 * RATE_HZ)
    for index in range(12):
        at_s = 5 + index * 0.02
        assert not clock.observe(10**12 + round(at_s * NS_PER_S), 5 * RATE_HZ)  # nothing comes for 240 ms
    assert not clock.observe(10**12 + round(5.26 * NS_PER_S), round(5.25 * RATE_HZ))  # then all of it
    assert clock.time_of_ns(5 * RATE_HZ) == pytest.approx(before, abs=2 * NS_PER_MS)


def test_a_restart_forgets():
    clock = CaptureClock(RATE_HZ)
    observe(clock, 5)
    clock.restart()
    assert not clock.known
    clock.observe(77 * NS_PER_S, 1000)
    assert clock.time_of_ns(1000) == 77 * NS_PER_S
