"""After a stall a turn waits for a cushion: adaptive, bounded, and told."""

import numpy as np
import pytest

from mien.config import VoiceConfig
from mien.core import wire
from mien.core.media import extrapolate
from rigs.voice_rig import VoiceRig, tone

pytestmark = pytest.mark.usefixtures("any_device")

CHUNK = 320  # 20 ms
LOUD = 5000


def open_rig(**settings):
    rig = VoiceRig(**settings)
    rig.hello()
    rig.step(100)
    return rig


def trickle(rig, chunks, every_ms, *, turn="t", first=0):
    """Chunks of 20 ms, one each every_ms on the rig's steps of 5 ms."""
    due_ms = 0.0
    for number in range(chunks):
        rig.audio(turn, first + number, np.full(CHUNK, LOUD, np.int16))
        due_ms += every_ms
        while due_ms >= 5:
            rig.step(5)
            due_ms -= 5


def gaps_ms(rig):
    """The silences between the first sample of speech and the last, in ms. Fades count as speech."""
    pcm = np.trim_zeros(rig.sink.pcm)
    edges = np.flatnonzero(np.diff(np.concatenate(([1], (pcm != 0).astype(int), [1]))))
    return (edges[1::2] - edges[::2]) / 16


def dry(rig, turn="t", ms=100):
    """A turn that was begun, heard and has run dry."""
    rig.audio(turn, 0, tone(ms))
    rig.step(ms + 100)
    assert rig.got(wire.Stalled)[-1].turn == turn


def refill_until_it_goes_on(rig, turn, seq):
    """Chunks of 20 ms, one a step, until the turn goes on. Returns how many ms were in hand then, and the next seq."""
    before = len(rig.got(wire.Rebuffered))
    for more in range(100):
        rig.audio(turn, seq + more, np.full(CHUNK, LOUD, np.int16))
        rig.step(5)
        if rig.playback.anchor().phase == "speaking":
            rig.step(1500)
            assert len(rig.got(wire.Rebuffered)) == before + 1
            return 20 * (more + 1), seq + more + 1
    raise AssertionError("it never went on")


def test_a_source_a_little_too_slow_stalls_a_few_times_instead_of_at_every_chunk():
    rig = open_rig()
    trickle(rig, 190, 20 / 0.95)  # four seconds
    stalls = len(rig.got(wire.Stalled))
    assert 2 <= stalls <= 4
    rig.say(wire.End(turn="t"))
    rig.step(1000)
    assert rig.got(wire.Finished)[0].played_ms == 3800.0
    assert rig.got(wire.Finished)[0].stalls == stalls
    assert len(gaps_ms(rig)) == stalls


def test_the_first_sound_of_a_slow_source_waits_for_no_cushion():
    rig = open_rig()
    trickle(rig, 10, 20 / 0.95)
    assert rig.got(wire.Started)[0].latency_ms <= 30


def test_a_chunk_that_is_late_while_the_device_still_plays_makes_no_gap():
    rig = open_rig()
    rig.audio("t", 0, np.full(CHUNK * 5, LOUD, np.int16))
    while len(rig.queue.turns[0].pcm):
        rig.step(5)
    rig.audio("t", 1, np.full(CHUNK, LOUD, np.int16))
    rig.say(wire.End(turn="t"))
    rig.step(200)
    assert rig.got(wire.Stalled) == []
    assert len(gaps_ms(rig)) == 0
    assert rig.got(wire.Finished)[0].played_ms == 120.0


def test_the_cushion_doubles_with_each_stall_up_to_its_bound_and_a_new_turn_begins_small():
    rig = open_rig(rebuffer_ms=40, rebuffer_max_ms=160)
    dry(rig)
    seen, seq = [], 1
    for _ in range(5):
        in_hand_ms, seq = refill_until_it_goes_on(rig, "t", seq)
        seen.append(in_hand_ms)
    assert seen == [40, 80, 160, 160, 160]
    told = [message.cushion_ms for message in rig.got(wire.Rebuffered)]
    assert told == seen
    rig.say(wire.End(turn="t"))
    dry(rig, "next")
    assert refill_until_it_goes_on(rig, "next", 1)[0] == 40


def test_ten_seconds_without_a_stall_make_it_small_again():
    rig = open_rig(rebuffer_ms=40, rebuffer_max_ms=640)
    dry(rig)
    _, seq = refill_until_it_goes_on(rig, "t", 1)
    _, seq = refill_until_it_goes_on(rig, "t", seq)
    for number in range(12):
        rig.audio("t", seq + number, tone(1000))
    rig.step(13_000)
    assert refill_until_it_goes_on(rig, "t", seq + 12)[0] == 40


@pytest.mark.parametrize("how", ["end", "gone"])
def test_what_is_in_hand_waits_for_nothing_once_no_more_can_come(how):
    rig = open_rig()
    dry(rig)
    rig.audio("t", 1, tone(20))
    rig.step(50)
    assert rig.playback.anchor().phase == "stalled"
    if how == "end":
        rig.say(wire.End(turn="t"))
    else:
        rig.voice.left(b"a")
    rig.step(80)
    assert rig.got(wire.Finished)[0].played_ms == 120.0


def test_what_is_in_hand_waits_no_longer_than_a_second_however_long_nothing_came():
    rig = open_rig()
    dry(rig)
    rig.step(3000)
    rig.audio("t", 1, tone(20))
    rig.step(900)
    assert rig.playback.anchor().phase == "stalled"
    rig.step(200)
    assert rig.queue.turns[0].played_ms == 120.0
    resumed = rig.got(wire.Rebuffered)[0]
    assert resumed.cushion_ms == 20
    assert resumed.stood_ms == pytest.approx(4100, abs=40)


def test_the_face_holds_still_until_it_goes_on():
    rig = open_rig()
    dry(rig)
    for seq in range(1, 4):
        rig.audio("t", seq, tone(20))
        rig.step(5)
        anchor = rig.playback.anchor()
        assert (anchor.phase, anchor.turn) == ("stalled", "t")
        assert extrapolate(anchor, rig.clock.now_ns() + 10**9) == 100_000_000
    rig.audio("t", 4, tone(20))
    rig.step(5)
    anchor = rig.playback.anchor()
    assert anchor.phase == "speaking"
    assert anchor.media_ns == 100_000_000
    assert anchor.until_ns == 180_000_000
    assert anchor.at_ns >= rig.clock.now_ns() - 5_000_000


def test_what_still_plays_is_not_promised_to_go_on_while_a_cushion_is_waited_for():
    rig = open_rig()
    rig.audio("t", 0, tone(100))
    while not rig.counters["turns_stalled"]:
        rig.step(5)
    rig.audio("t", 1, tone(20))
    assert rig.playback.anchor().phase == "speaking"
    assert rig.playback.anchor().until_ns == 100_000_000


def test_stalled_and_resumed_are_told_when_they_are_heard_and_say_the_truth():
    rig = open_rig()
    rig.audio("t", 0, np.full(1600, LOUD, np.int16))
    while not rig.got(wire.Stalled):
        rig.step(5)
    stalled = rig.got(wire.Stalled)[0]
    assert (stalled.turn, stalled.played_ms) == ("t", 100.0)
    rig.step(150)
    rig.audio("t", 1, np.full(1600, LOUD, np.int16))
    while not rig.got(wire.Rebuffered):
        assert rig.queue.turns[0].played_ms == 100.0
        rig.step(5)
    resumed = rig.got(wire.Rebuffered)[0]
    assert 100 < resumed.played_ms <= 110
    rig.say(wire.End(turn="t"))
    rig.step(300)
    [gap_ms] = gaps_ms(rig)
    assert resumed.stood_ms == pytest.approx(gap_ms, abs=10.5)  # the fades at both ends are no silence
    assert (resumed.turn, resumed.cushion_ms) == ("t", 100.0)
    kinds = [type(m) for _, m in rig.sent if isinstance(m, wire.Stalled | wire.Rebuffered | wire.Finished)]
    assert kinds == [wire.Stalled, wire.Rebuffered, wire.Finished]


def test_an_interrupt_during_a_stall_finishes_the_turn_and_nothing_goes_on():
    rig = open_rig()
    dry(rig)
    rig.audio("t", 1, tone(20))
    rig.step(20)
    rig.say(wire.Interrupt())
    rig.step(100)
    finished = rig.got(wire.Finished)[0]
    assert (finished.reason, finished.played_ms) == ("interrupted", 100.0)
    assert rig.got(wire.Rebuffered) == []


def test_an_interrupt_right_behind_a_stall_tells_of_no_stall():
    rig = open_rig()
    rig.audio("t", 0, tone(100))
    while not rig.counters["turns_stalled"]:
        rig.step(5)
    rig.say(wire.Interrupt())
    rig.step(100)
    assert rig.got(wire.Stalled) == []
    assert rig.got(wire.Finished)[0].interrupted


def test_a_pause_during_a_stall_is_no_end_of_it():
    rig = open_rig()
    dry(rig)
    rig.say(wire.Pause())
    rig.audio("t", 1, tone(100))
    rig.step(500)
    assert rig.got(wire.Rebuffered) == []
    rig.say(wire.Resume())
    rig.step(200)
    assert rig.queue.turns[0].played_ms == 200.0
    assert len(rig.got(wire.Rebuffered)) == 1


def test_no_cushion_is_larger_than_what_a_client_may_have_in_hand():
    rig = open_rig(voice=VoiceConfig(max_buffer_ms=120), rebuffer_ms=1000, rebuffer_max_ms=1000)
    dry(rig)
    rig.audio("t", 1, tone(60))
    rig.step(100)
    assert rig.queue.turns[0].played_ms > 100.0


def test_without_a_cushion_speech_goes_on_with_the_next_chunk():
    rig = open_rig(rebuffer_ms=0)
    dry(rig)
    rig.audio("t", 1, tone(20))
    rig.step(5)
    assert rig.playback.anchor().phase == "speaking"


def test_what_the_resampler_holds_back_counts_as_in_hand():
    rig = VoiceRig(rate_hz=48000, rebuffer_ms=40)
    rig.hello(rate_hz=8000)  # its filter looks 4 ms ahead
    rig.audio("t", 0, tone(100, 8000))
    rig.step(300)
    rig.audio("t", 1, tone(40, 8000))
    rig.step(5)
    assert rig.playback.anchor().phase == "speaking"


def test_speech_fades_in_after_filler_even_when_the_device_has_played_all_of_it():
    """After a loop that stood still, speech continued at full level: a click (found by make chaos, seed 34)."""
    rig = open_rig()
    dry(rig)
    rig.clock.advance_ms(500)
    for number in range(10):
        rig.audio("t", 1 + number, np.full(CHUNK, LOUD, np.int16))
    rig.step(50)
    spoken = np.flatnonzero(rig.sink.pcm)
    rejoined = spoken[np.flatnonzero(np.diff(spoken) > 100)[-1] + 1]
    assert 0 < rig.sink.pcm[rejoined] < 200
    assert rig.sink.pcm[rejoined + 80] == LOUD


def test_a_few_samples_wait_for_more_however_long_until_the_turn_ends():
    rig = open_rig()
    dry(rig)
    rig.audio("t", 1, np.full(80, LOUD, np.int16))
    rig.step(3000)
    assert rig.playback.anchor().phase == "stalled"
    rig.say(wire.End(turn="t"))
    rig.step(300)
    assert rig.got(wire.Finished)[0].played_ms == 105.0


@pytest.mark.parametrize("frames", [1, 80])
def test_a_stalled_turn_with_too_little_to_go_on_with_times_out_as_an_empty_one_does(frames):
    """It waits for more speech; a client that sends none and no end would hold the speaker for ever."""
    rig = VoiceRig(voice=VoiceConfig(turn_idle_timeout_ms=500))
    rig.hello()
    rig.audio("t", 0)
    rig.step(300)
    rig.audio("t", 1, pcm=tone(20)[:frames])
    rig.step(400)
    assert rig.got(wire.Finished) == []
    rig.step(400)
    (finished,) = rig.got(wire.Finished)
    assert (finished.reason, finished.played_ms) == ("idle_timeout", pytest.approx(20 + frames / 16, abs=0.1))
