"""When a device's frames are heard, out of positions as devices tell them."""

import pytest

from mien.config import PlaybackConfig
from mien.core.clock import ManualClock
from mien.core.stats import Counters
from mien.units import NS_PER_MS, NS_PER_S
from mien.voice.device_stream import JUMP_NS, WINDOW, DeviceClock, DeviceStream
from mien.voice.sinks import open_silence

RATE_HZ = 48000
START_NS = 86_400 * NS_PER_S


def test_exact_readings_give_exact_times_both_ways():
    clock = DeviceClock(RATE_HZ)
    clock.observe(START_NS, 4800)
    assert clock.time_of_ns(4800) == START_NS
    assert clock.time_of_ns(9600) == START_NS + 100 * NS_PER_MS
    assert clock.time_of_ns(0) == START_NS - 100 * NS_PER_MS
    assert [clock.frame_at(START_NS + at_ms * NS_PER_MS) for at_ms in (-100, 0, 100)] == [0, 4800, 9600]


@pytest.mark.parametrize("readings", [1, 2, 7, WINDOW - 1, WINDOW, 3 * WINDOW])
def test_it_is_the_mean_of_the_readings_that_there_are(readings):
    """Alternately 0 and 4 ms late: the mean tells how many were counted, and that nothing else was."""
    clock = DeviceClock(RATE_HZ)
    late_ns = [0 if number % 2 else 4 * NS_PER_MS for number in range(readings)]
    for number, late in enumerate(late_ns):
        clock.observe(START_NS + number * 5 * NS_PER_MS + late, number * 240)
    kept = late_ns[-WINDOW:]
    assert clock.time_of_ns(0) == pytest.approx(START_NS + sum(kept) / len(kept), abs=1)


def test_old_readings_are_forgotten():
    """A crystal 100 ppm fast: what is 64 readings old counts no more."""
    clock = DeviceClock(RATE_HZ)
    for number in range(20_000):
        now_ns = START_NS + number * 5 * NS_PER_MS
        clock.observe(now_ns, int(number * 240 * 1.0001))
    lag_ns = clock.time_of_ns(int(number * 240 * 1.0001)) - now_ns
    assert lag_ns == pytest.approx(WINDOW / 2 * 5 * NS_PER_MS * 1e-4, abs=NS_PER_S / RATE_HZ)


@pytest.mark.parametrize("moved_ns", [-JUMP_NS - 1000, JUMP_NS + 1000])
def test_a_stream_that_moved_is_followed_at_once(moved_ns):
    clock = DeviceClock(RATE_HZ)
    for number in range(WINDOW):
        clock.observe(START_NS + number * 5 * NS_PER_MS, number * 240)
    now_ns = START_NS + WINDOW * 5 * NS_PER_MS
    clock.observe(now_ns + moved_ns, WINDOW * 240)
    assert clock.time_of_ns(WINDOW * 240) == now_ns + moved_ns


def test_steps_of_a_coarse_device_are_no_jump():
    """Positions in steps of 10 ms, read every 5 ms, both with jitter of their own: 15 ms apart, and all are kept."""
    clock = DeviceClock(RATE_HZ)
    clock.observe(START_NS, 0)
    clock.observe(START_NS + 14 * NS_PER_MS, 0)
    assert clock.time_of_ns(0) == START_NS + 7 * NS_PER_MS


def test_after_a_restart_only_new_readings_count():
    clock = DeviceClock(RATE_HZ)
    for number in range(10):
        clock.observe(START_NS + number * 5 * NS_PER_MS, number * 240)
    clock.restart()
    clock.observe(START_NS + 53 * NS_PER_MS, 2400)
    assert clock.time_of_ns(2400) == START_NS + 53 * NS_PER_MS


def test_a_device_at_another_rate_is_no_device_of_this_stream():
    clock, config = ManualClock(), PlaybackConfig(rate_hz=16000)
    stream = DeviceStream(config, open_silence(config, clock), Counters())
    other = open_silence(PlaybackConfig(rate_hz=48000), clock)
    with pytest.raises(ValueError, match="a sink at 48000 Hz where 16000 Hz are written to it"):
        stream.use(other, audible=True)
