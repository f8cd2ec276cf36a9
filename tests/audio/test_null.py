import numpy as np
import pytest

from mien.audio.base import Pcm
from mien.audio.null import NullSink
from mien.core.clock import ManualClock
from mien.units import NS_PER_S


def zeros(frames: int) -> Pcm:
    return np.zeros(frames, np.int16)


@pytest.mark.parametrize("rate_hz", [8000, 11025, 22050, 44100, 48000])
def test_frames_are_heard_to_the_frame(rate_hz: int) -> None:
    clock = ManualClock(start_ns=987_654_321)
    sink = NullSink(clock, rate_hz, rate_hz)
    sink.write(zeros(rate_hz))
    for frame in (1, 2, 3, 1000, 7777):
        clock.advance_ns(987_654_321 - clock.now_ns() + -(-frame * NS_PER_S // rate_hz) - 1)
        assert sink.delay_frames() == rate_hz - frame + 1
        clock.advance_ns(1)
        assert sink.delay_frames() == rate_hz - frame


def test_an_hour_of_small_writes_does_not_drift() -> None:
    """A frame at 22.05 kHz is not a whole number of ns, so accumulated rounding would drift."""
    clock = ManualClock()
    sink = NullSink(clock, 22050, 22050)
    given = sink.write(zeros(22050))
    step_ns = 7_777_777
    for _ in range(3600 * NS_PER_S // step_ns):
        clock.advance_ns(step_ns)
        given += sink.write(zeros(22050))
        assert given - sink.delay_frames() == clock.now_ns() * 22050 // NS_PER_S
    assert sink.underruns == 0


def test_run_dry_it_stands_still() -> None:
    clock = ManualClock()
    sink = NullSink(clock, 1000, 100)
    sink.write(zeros(10))
    clock.advance_ms(500)
    assert sink.delay_frames() == 0
    sink.write(zeros(20))
    assert sink.delay_frames() == 20
    clock.advance_ms(15)
    assert (sink.delay_frames(), sink.underruns) == (5, 1)


def test_an_empty_write_does_not_end_the_silence() -> None:
    clock = ManualClock()
    sink = NullSink(clock, 1000, 100)
    sink.write(zeros(10))
    clock.advance_ms(50)
    assert sink.write(zeros(0)) == 0
    assert sink.underruns == 0
    clock.advance_ms(50)
    sink.write(zeros(10))
    assert (sink.delay_frames(), sink.underruns) == (10, 1)


def test_silence_after_drop_is_no_underrun() -> None:
    clock = ManualClock()
    sink = NullSink(clock, 1000, 100)
    sink.write(zeros(50))
    clock.advance_ms(10)
    sink.drop()
    clock.advance_ms(1000)
    sink.write(zeros(50))
    assert (sink.delay_frames(), sink.underruns) == (50, 0)
