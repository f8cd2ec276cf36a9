"""A card at another rate: duration, pitch and reported delay match a card at the requested rate."""

import numpy as np
import pytest

from mien.audio.converted import ConvertedSink, at_rate
from mien.audio.null import NullSink
from mien.audio.resample import Resampler
from mien.core import wire
from mien.core.clock import ManualClock
from rigs.card_sink import CardSink
from rigs.voice_rig import VoiceRig, tone


def converted(clock, rate_hz, buffer_frames, *, device_hz=44100, **traits):
    device = CardSink(clock, device_hz, buffer_frames * device_hz // rate_hz, **traits)
    return ConvertedSink(device, rate_hz)


def heard_in_full(device_hz=44100, ms=5000, **traits):
    """A turn on a card of that rate; returns the device, and the delays reported to its client."""
    rig = VoiceRig(rate_hz=48000, device=lambda *a: converted(*a, device_hz=device_hz, **traits))
    rig.hello(rate_hz=48000)
    rig.step(100)
    began_ns = rig.clock.now_ns()
    rig.audio(pcm=tone(ms // 5 * 2, 48000))
    for seq in range(1, 6):
        rig.audio(seq=seq, pcm=tone(ms // 5 * 3, 48000)[(seq - 1) * 48 * ms * 3 // 25 : seq * 48 * ms * 3 // 25])
    rig.say(wire.End(turn="t"))
    while not rig.got(wire.Finished):
        rig.step(5)
    return rig, (rig.clock.now_ns() - began_ns) / 1e6


@pytest.mark.parametrize("device_hz", [44100, 22050, 16000, 32000])
@pytest.mark.parametrize("traits", [{"step_ms": 1, "period_ms": 1}, {"partial": 0.3}], ids=["fine", "coarse"])
def test_five_seconds_take_five_seconds(device_hz, traits):
    rig, took_ms = heard_in_full(device_hz, **traits)
    assert rig.got(wire.Finished)[0].played_ms == 5000.0
    assert took_ms == pytest.approx(5000, abs=60)
    speech = np.flatnonzero(np.abs(rig.sink._device.pcm.astype(int)) > 100)
    assert (speech[-1] - speech[0]) / device_hz == pytest.approx(5.0, abs=0.01)


def test_its_pitch_is_right():
    rig, _ = heard_in_full(step_ms=1, period_ms=1)
    pcm = np.trim_zeros(rig.sink._device.pcm)[1000 : 1000 + 44100].astype(float)
    assert np.argmax(np.abs(np.fft.rfft(pcm))) == pytest.approx(440, abs=1)


def test_the_device_gets_just_what_a_resampler_makes_of_it():
    clock = ManualClock(10**9)
    sink, pcm = ConvertedSink(NullSinkThatKeeps(clock, 44100, 4410), 48000), tone(700, 48000)
    left = pcm
    while len(left):
        left = left[sink.write(left[:333]) :]
        clock.advance_ms(3)
    while sink.delay_frames():
        clock.advance_ms(1)
    resampler = Resampler(48000, 44100)
    wanted = np.concatenate((resampler.push(pcm), resampler.flush()))
    assert np.array_equal(np.concatenate(sink._device.blocks), wanted)
    assert sink.underruns == 0


class NullSinkThatKeeps(NullSink):
    def __init__(self, clock, rate_hz, buffer_frames):
        super().__init__(clock, rate_hz, buffer_frames)
        self.blocks = []

    def write(self, pcm):
        taken = super().write(pcm)
        self.blocks.append(pcm[:taken].copy())
        return taken


def test_the_delay_runs_down_to_the_last_frame_and_no_earlier():
    """The tail held back by the resampler is flushed last: the delay is above 0 until it has been heard."""
    clock = ManualClock(10**9)
    sink = ConvertedSink(NullSink(clock, 44100, 4410), 48000)
    sink.write(np.ones(480, np.int16))
    told = []
    while sink.delay_frames() and len(told) < 300:
        told.append(sink.delay_frames())
        clock.advance_ms(0.05)
    assert told == sorted(told, reverse=True)
    assert 10.0 <= len(told) * 0.05 <= 10.2


def test_speech_that_comes_while_the_tail_is_played_is_no_underrun_and_waits_behind_it():
    clock = ManualClock(10**9)
    sink = ConvertedSink(NullSink(clock, 44100, 4410), 48000)
    sink.write(np.ones(480, np.int16))
    while sink.delay_frames() > 30:
        clock.advance_ms(0.05)
    assert sink.delay_frames() > 5
    sink.write(np.ones(480, np.int16))
    assert sink.underruns == 0
    assert sink.delay_frames() == pytest.approx(480 + 30, abs=8)


def test_an_underrun_of_the_device_between_look_and_write_counts_once():
    clock = ManualClock(10**9)
    device = NullSink(clock, 44100, 4410)
    sink = ConvertedSink(device, 48000)
    sink.write(np.ones(960, np.int16))
    looked, device.delay_frames = device.delay_frames(), lambda: looked
    clock.advance_ms(50)
    sink.write(np.ones(480, np.int16))
    assert (device.underruns, sink.underruns) == (1, 1)


def test_at_its_own_rate_a_sink_is_left_as_it_is():
    device = NullSink(ManualClock(), 48000, 2400)
    assert at_rate(device, 48000) is device
    assert at_rate(device, 16000).format.rate_hz == 16000


def test_a_sink_at_a_rate_that_is_not_written_to_it_is_refused():
    with pytest.raises(ValueError, match="44100 Hz where 48000 Hz"):
        VoiceRig(rate_hz=48000, device=lambda clock, _, frames: NullSink(clock, 44100, frames))
