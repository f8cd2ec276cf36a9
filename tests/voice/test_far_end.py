"""What the ear is told of the speaker: every sample of it, once, with the time at which it is heard."""

import numpy as np
import pytest

from mien.audio.resample import Resampler
from mien.core import wire
from mien.voice.far_end import FarEndFeed
from rigs.card_sink import CardSink
from rigs.voice_rig import RecordingSink, VoiceRig, tone

NS_A_FRAME = 62_500


def fine_card(clock, rate_hz, buffer_frames):
    return CardSink(clock, rate_hz, buffer_frames, step_ms=1, period_ms=1)


def eared(*, rate_hz=16000, device=RecordingSink, **config):
    """A voice with an ear from its first step on."""
    rig = VoiceRig(rate_hz=rate_hz, device=device, **config)
    rig.ear_health()
    rig.hello()
    return rig


def run(rig, ms):
    """Time passes; the ear reports once a second."""
    for _ in range(int(ms // 500)):
        rig.step(500)
        rig.ear_health()
    if ms % 500:
        rig.step(ms % 500)


def streams(rig):
    """stream -> (pcm, [(offset, at_ns, silent)]), which must have neither gaps nor overlaps."""
    found = {}
    for message, *payload in rig.far():
        pcm, blocks = found.setdefault(message.stream, ([], []))
        assert message.offset == sum(map(len, pcm))
        assert message.silent == (not payload)
        assert message.frames <= 320 or message.silent
        block = np.frombuffer(payload[0], "<i2") if payload else np.zeros(message.frames, np.int16)
        assert len(block) == message.frames
        assert message.silent or block.any()
        pcm.append(block)
        blocks.append((message.offset, message.at_ns, message.silent))
    return {stream: (np.concatenate(pcm), blocks) for stream, (pcm, blocks) in found.items()}


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 44100, 48000])
def test_it_is_what_the_device_got_resampled_once(rate_hz):
    rig = eared(rate_hz=rate_hz)
    run(rig, 300)
    for turn, pause_ms in enumerate((10, 37, 400)):
        rig.speak(f"t{turn}", ms=330 + 7 * turn)
        run(rig, 330 + pause_ms)
    run(rig, 700)
    ((pcm, _),) = streams(rig).values()
    whole = Resampler(rate_hz, 16000).push(rig.sink.pcm)
    assert pcm.any()
    assert len(pcm) > len(whole) - 400
    assert np.array_equal(pcm[: len(whole)], whole[: len(pcm)])


def test_blocks_are_20_ms_and_silence_is_told_in_few_messages_without_samples():
    rig = eared()
    run(rig, 1000)
    before = len(rig.far())
    assert all(message.silent and not payload for message, *payload in rig.far())
    assert before <= 60
    rig.speak(ms=400)
    run(rig, 500)
    assert {message.frames for message, *payload in rig.far()[before:] if payload} == {320}


@pytest.mark.parametrize("latency_ms", [0, 80])
def test_each_block_says_when_it_is_heard(latency_ms):
    rig = eared(device=fine_card, output_latency_ms=latency_ms)
    run(rig, 300)
    rig.speak(ms=500)
    run(rig, 700)
    ((_, blocks),) = streams(rig).values()
    for offset, at_ns, _ in blocks[40:]:
        assert at_ns == pytest.approx(rig.sink.heard_at_ns(offset) + latency_ms * 1e6, abs=1.1e6)


def test_a_block_is_published_before_its_last_frame_is_heard():
    """So the ear has the far end of any time before the microphone's sound of that time."""
    rig = eared(device=fine_card)
    run(rig, 200)
    rig.speak(ms=600)
    seen = len(rig.far())
    for _ in range(140):
        rig.step(5)
        for message, *_ in rig.far()[seen:]:
            assert rig.clock.now_ns() - 5e6 <= message.at_ns + message.frames * NS_A_FRAME
        seen = len(rig.far())


def test_without_an_ear_nothing_is_published_or_tapped():
    rig = VoiceRig()
    rig.hello()
    rig.speak(ms=300)
    rig.step(500)
    assert rig.far() == []
    assert rig.playback.device.tap is None


def test_it_ends_when_the_ear_stops_reporting_and_begins_as_a_new_stream():
    rig = eared()
    run(rig, 500)
    rig.step(4200)
    told = len(rig.far())
    rig.step(1000)
    assert len(rig.far()) == told
    assert rig.playback.device.tap is None
    rig.ear_health()
    rig.step(100)
    first, second = (stream for stream in streams(rig))
    assert second > first


def test_an_underrun_begins_a_new_stream_with_its_own_times():
    rig = eared(device=fine_card)
    run(rig, 300)
    rig.speak(ms=1000)
    run(rig, 300)
    rig.clock.advance_ms(120)
    rig.ear_health()
    run(rig, 400)
    assert rig.sink.underruns == 1
    (_, old), (pcm, new) = streams(rig).values()
    assert pcm.any()
    first = rig.sink._runs[1][1]
    for offset, at_ns, _ in new[1:]:
        assert at_ns == pytest.approx(rig.sink.heard_at_ns(first + offset), abs=1.1e6)
    assert new[0][1] > old[-1][1] + 100e6


def test_another_device_begins_a_new_stream():
    rig = eared()
    run(rig, 300)
    rig.playback.use_sink(rig.open_device(), audible=True)
    run(rig, 300)
    assert len(streams(rig)) == 2


@pytest.mark.parametrize(("gap_ms", "told"), [(0, True), (1500, False)])
def test_the_rest_of_an_interrupted_stream_is_told_unless_it_is_long_past(gap_ms, told):
    rig = eared()
    run(rig, 300)
    rig.speak(ms=1000)
    run(rig, 305)
    written = len(rig.sink.pcm)
    assert written % 320
    rig.clock.advance_ms(gap_ms)
    rig.playback.use_sink(rig.open_device(), audible=True)
    rig.step(100)
    (pcm, _), _ = streams(rig).values()
    assert len(pcm) == (written if told else written // 320 * 320)


def test_while_no_card_plays_the_far_end_is_silent():
    rig = eared()
    run(rig, 200)
    rig.playback.use_sink(rig.open_device(), audible=False)
    told = len(rig.far())
    rig.speak(ms=300)
    run(rig, 500)
    later = rig.far()[told:]
    assert later
    assert all(message.silent for message, *_ in later)


def test_a_device_that_was_let_go_is_silence_up_to_now_and_beyond():
    """An ear without a far end would hear nobody."""
    rig = eared(idle_release_s=1)
    run(rig, 1500)
    assert rig.playback.released
    told = len(rig.far())
    for _ in range(30):
        rig.step(5)
        rig.clock.advance_ms(95)
        rig.ear_health()
        last = rig.far()[-1][0]
        assert last.at_ns + last.frames * NS_A_FRAME > rig.clock.now_ns() + 100e6
    later = rig.far()[told:]
    assert {message.stream for message, *_ in later} == {later[0][0].stream}
    assert all(message.silent for message, *_ in later)
    streams(rig)


def test_stream_numbers_of_a_restarted_voice_are_newer():
    first = eared()
    run(first, 200)
    restarted = FarEndFeed(first.playback.device, 16000, first.clock.now_ns() + 100 * 10**6)
    restarted.start("ear")
    first.step(100)
    told, _ = restarted.take(first.clock.now_ns())[0]
    assert told.stream > first.far()[-1][0].stream


def script(rig, *, ears):
    """A conversation of half a minute with everything that changes the sound; ears: reports of an ear among it."""
    draw = np.random.default_rng(17)
    rig.hello()
    for number in range(40):
        if ears:
            rig.ear_health()
        name = f"t{number}"
        rig.speak(name, pcm=tone(int(draw.integers(40, 900)), hz=int(draw.integers(100, 900))), end=number % 5 != 0)
        rig.step(int(draw.integers(1, 160)) * 5)
        act = number % 7
        if act == 1:
            rig.say(wire.Interrupt())
        elif act == 2:
            rig.say(wire.Pause())
            rig.step(200)
            rig.say(wire.Resume())
        elif act == 3:
            rig.say(wire.Volume(gain=float(draw.uniform(0, 1)), fade_ms=200))
        elif act == 4:
            rig.clock.advance_ms(80)
        rig.say(wire.End(turn=name))
    rig.step(3000)
    return rig.sink.pcm


@pytest.mark.usefixtures("any_device")
@pytest.mark.parametrize("rate_hz", [16000, 48000])
def test_the_speaker_plays_the_same_samples_with_and_without_an_ear(rate_hz):
    """The ear's turning up, listening to everything and dying changes not one of them."""
    without = script(VoiceRig(rate_hz=rate_hz), ears=False)
    rig = VoiceRig(rate_hz=rate_hz)
    rig.hello(b"l")
    rig.say(wire.Listen(mode="always"), client=b"l")
    assert np.array_equal(script(rig, ears=True), without)
    assert rig.far()
    assert without.any()
