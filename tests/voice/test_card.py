"""The voice on a card with position steps, partial writes, a crystal of its own and latency behind its buffer.

The rig's card knows what the ear has heard and when; what the voice tells has to agree with that.
"""

import numpy as np
import pytest

from mien.core import wire
from rigs.card_sink import CardSink
from rigs.voice_rig import VoiceRig, tone

RATE_HZ = 16000


def card(**traits):
    return lambda clock, rate_hz, buffer_frames: CardSink(clock, rate_hz, buffer_frames, **traits)


def open_rig(*, behind_ms=0.0, shown=None, **traits):
    """A rig on such a card; the voice is told of the latency behind it, or of what is said in shown."""
    latency_ms = behind_ms if shown is None else shown
    rig = VoiceRig(rate_hz=RATE_HZ, device=card(behind_ms=behind_ms, **traits), output_latency_ms=latency_ms)
    rig.hello()
    rig.step(300)
    return rig


def first_of(rig):
    """The index in what was written at which a tone begins (its first sample is 0)."""
    return int(np.argmax(rig.sink.pcm != 0)) - 1


TRAITS = [
    {},
    {"partial": 0.5},
    {"step_ms": 1, "period_ms": 1},
    {"ppm": 300},
    {"ppm": -300},
    {"behind_ms": 120.0},
    {"behind_ms": 120.0, "partial": 0.2, "ppm": 200},
]


@pytest.mark.parametrize("traits", TRAITS, ids=str)
def test_every_sample_is_heard_in_order_and_finished_comes_when_the_last_one_was(traits):
    rig = open_rig(**traits)
    rig.speak(pcm=tone(500))
    while not rig.got(wire.Finished):
        rig.step(5)
        assert len(rig.sink.pcm) < 10 * RATE_HZ
    begun = first_of(rig)
    assert np.array_equal(rig.sink.pcm[begun : begun + 8000], tone(500))
    assert rig.got(wire.Finished)[0].played_ms == 500.0
    late_ns = rig.clock.now_ns() - rig.sink.heard_at_ns(begun + 8000)
    assert 0 <= late_ns <= 20_000_000  # a step of the position, and two of the loop


@pytest.mark.parametrize("traits", TRAITS, ids=str)
def test_started_tells_when_the_ear_heard_it(traits):
    rig = open_rig(**traits)
    asked_ns = rig.clock.now_ns()
    rig.speak(pcm=tone(300))
    rig.step(400)
    heard_ms = (rig.sink.heard_at_ns(first_of(rig)) - asked_ns) / 1e6
    assert -1 <= rig.got(wire.Started)[0].latency_ms - heard_ms <= 10  # a step of the position


def test_a_latency_below_zero_takes_back_what_the_device_says_too_much():
    told = {}
    for shown in (-20.0, 0.0):
        rig = open_rig(shown=shown, step_ms=1)
        rig.speak(pcm=tone(300))
        rig.step(400)
        told[shown] = rig.got(wire.Started)[0].latency_ms
    assert told[0.0] - told[-20.0] == pytest.approx(20, abs=0.2)


@pytest.mark.parametrize("traits", TRAITS, ids=str)
def test_anchors_say_what_the_ear_hears(traits):
    rig = open_rig(**traits)
    rig.speak(pcm=tone(2000))
    off_ms = []
    for number in range(300):
        rig.step(5)
        anchor = rig.playback.anchor()
        if number > 60 and anchor.phase == "speaking":
            frame = first_of(rig) + round(anchor.media_ns * RATE_HZ / 1e9)
            off_ms.append((anchor.at_ns - rig.sink.heard_at_ns(frame)) / 1e6)
    assert len(off_ms) > 200
    assert min(off_ms) >= -2
    assert max(off_ms) <= 10  # a step of the position
    assert np.median(off_ms) == pytest.approx(traits.get("step_ms", 10) / 2, abs=3)


@pytest.mark.parametrize("traits", TRAITS, ids=str)
def test_what_is_told_of_progress_was_heard_and_never_goes_back(traits):
    rig = open_rig(**traits)
    rig.speak(pcm=tone(1000))
    told = 0.0
    for _ in range(300):
        rig.step(5)
        played = rig.queue.turns[0].played_ms if rig.queue.turns else 1000.0
        heard = len(rig.sink.heard()) - first_of(rig) if np.any(rig.sink.pcm) else 0
        assert played >= told
        assert played <= min(1000, max(0, heard) / 16) + 2
        told = played
    assert told == 1000.0


def test_a_loop_that_comes_too_late_is_counted_and_the_time_that_follows_is_right():
    rig = open_rig(step_ms=1, period_ms=1)
    rig.speak(pcm=tone(1000))
    rig.step(300)
    rig.clock.advance_ms(67)
    rig.step(10)
    assert (rig.sink.underruns, rig.counters["sink_underruns"]) == (1, 1)
    begun = first_of(rig)
    rig.step(50)
    anchor = rig.playback.anchor()
    frame = begun + round(anchor.media_ns * RATE_HZ / 1e9)
    assert anchor.at_ns == pytest.approx(rig.sink.heard_at_ns(frame), abs=1_500_000)
    rig.step(1000)
    assert rig.got(wire.Finished)[0].played_ms == 1000.0
    assert np.array_equal(rig.sink.pcm[begun : begun + 16000], tone(1000))


def test_an_underrun_between_the_look_and_the_write_is_an_underrun():
    """The card says that 2 ms are left, and has none when it is written to: its stream starts anew there."""
    rig = open_rig(step_ms=1, period_ms=1)
    rig.speak(pcm=tone(1000))
    rig.step(300)
    begun = first_of(rig)
    rig.clock.advance_ms(18)
    write = rig.sink.write

    def late(pcm):
        rig.clock.advance_ms(12)
        return write(pcm)

    rig.sink.write = late
    rig.step(5)
    rig.sink.write = write
    rig.step(40)
    assert rig.counters["sink_underruns"] == 1
    anchor = rig.playback.anchor()
    frame = begun + round(anchor.media_ns * RATE_HZ / 1e9)
    assert anchor.at_ns == pytest.approx(rig.sink.heard_at_ns(frame), abs=1_500_000)


def test_what_the_device_did_not_take_waits_and_nothing_overtakes_it():
    rig = open_rig(partial=0.9, seed=3)
    for number in range(8):
        rig.speak(f"t{number}", pcm=np.full(800, 100 * number + 100, np.int16))
    while len(rig.got(wire.Finished)) < 8:
        rig.step(5)
    begun = int(np.argmax(rig.sink.pcm != 0))
    assert np.array_equal(rig.sink.pcm[begun : begun + 6400], np.repeat(np.arange(100, 900, 100), 800))
    assert [m.played_ms for m in rig.got(wire.Finished)] == [50.0] * 8


def test_a_coarse_device_holds_what_was_asked_for_and_no_more():
    """By its own word it holds up to 10 ms more than it does; that must not be topped up again and again."""
    rig = open_rig()
    held_ms = []
    for _ in range(200):
        rig.voice.step()
        held_ms.append((len(rig.sink.pcm) - len(rig.sink.heard())) / 16)
        rig.clock.advance_ms(5)
    assert min(held_ms) >= 12
    assert max(held_ms) <= 26
