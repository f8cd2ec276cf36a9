"""Turns through queue and playback, on a manual clock: what is heard, when, and what is told of it."""

import numpy as np
import pytest

from mien.config import VoiceConfig
from mien.core import wire
from mien.core.media import extrapolate
from mien.errors import SinkError
from rigs.voice_rig import RecordingSink, VoiceRig, tone

pytestmark = pytest.mark.usefixtures("any_device")


def heard(rig):
    """What was written after the first sample that is not silence."""
    pcm = rig.sink.pcm
    return pcm[np.argmax(pcm != 0) :]


def test_a_turn_is_heard_whole_and_told_once():
    rig = VoiceRig()
    rig.hello()
    rig.step(50)
    rig.speak(ms=500)
    rig.step(700)
    assert np.array_equal(heard(rig)[: 16 * 500 - 1], tone(500)[1:])
    assert [type(m) for _, m in rig.sent if not isinstance(m, wire.Progress)] == [
        wire.Welcome,
        wire.Started,
        wire.Finished,
    ]
    finished = rig.got(wire.Finished)[0]
    assert (finished.played_ms, finished.interrupted, finished.reason) == (500.0, False, "played")


def test_finished_is_told_when_heard_not_when_sent():
    rig = VoiceRig()
    rig.hello()
    rig.step(50)
    rig.speak(ms=300)
    start_ns = rig.clock.now_ns()
    while not rig.got(wire.Finished):
        rig.step(5)
    waited_ms = (rig.clock.now_ns() - start_ns) / 1e6
    assert waited_ms >= rig.got(wire.Started)[0].latency_ms + 300


def test_first_sound_comes_behind_no_more_than_the_device_buffer():
    rig = VoiceRig(buffer_ms=25)
    rig.hello()
    rig.step(100)
    rig.speak(ms=200)
    rig.step(200)
    assert 0 < rig.got(wire.Started)[0].latency_ms <= 30


@pytest.mark.parametrize("client_hz", [8000, 22050, 48000])
def test_other_rates_keep_their_length(client_hz):
    rig = VoiceRig()
    rig.hello(rate_hz=client_hz)
    rig.speak(pcm=tone(400, client_hz))
    rig.step(700)
    assert rig.got(wire.Finished)[0].played_ms == pytest.approx(400, abs=0.1)


def test_speech_waits_for_a_present_face_but_never_beyond_the_preroll():
    rig = VoiceRig(preroll_ms=120, buffer_ms=25)
    rig.hello()
    rig.preroll.note_seen(rig.clock.now_ns())
    rig.step(50)
    rig.speak(ms=200)
    rig.step(400)
    assert 120 <= rig.got(wire.Started)[0].latency_ms <= 155


def test_speech_opens_as_soon_as_motion_is_ahead():
    rig = VoiceRig(preroll_ms=500, motion_lead_ms=20)
    rig.hello()
    rig.step(50)
    rig.speak(ms=200)
    rig.preroll.note_seen(rig.clock.now_ns())
    rig.step(10)
    assert not rig.got(wire.Started)
    rig.preroll.note_ready(rig.playback.epoch, 20_000_000, rig.clock.now_ns())
    rig.step(60)
    assert rig.got(wire.Started)


def test_queued_turns_follow_without_a_gap():
    rig = VoiceRig()
    rig.hello()
    rig.speak("one", ms=200)
    rig.speak("two", ms=200)
    rig.step(600)
    assert np.array_equal(heard(rig)[: 16 * 400 - 1], np.concatenate([tone(200), tone(200)])[1:])
    assert [m.turn for m in rig.got(wire.Finished)] == ["one", "two"]


def test_a_turn_without_sound_finishes():
    rig = VoiceRig()
    rig.hello()
    rig.say(wire.End(turn="empty"))
    rig.step(50)
    assert [(m.turn, m.played_ms, m.reason) for m in rig.got(wire.Finished)] == [("empty", 0.0, "played")]
    assert not rig.got(wire.Started)


def test_an_underrun_is_told_holds_media_time_and_loses_nothing():
    rig = VoiceRig()
    rig.hello()
    rig.step(50)
    rig.speak("slow", ms=200, end=False)
    rig.step(400)
    assert len(rig.got(wire.Stalled)) == 1
    anchor = rig.playback.anchor()
    assert anchor.phase == "stalled"
    assert extrapolate(anchor, rig.clock.now_ns() + 10**9) == 200_000_000
    rig.audio("slow", seq=10, ms=100)
    rig.say(wire.End(turn="slow"))
    rig.step(400)
    assert rig.got(wire.Finished)[0].played_ms == 300.0
    assert np.count_nonzero(rig.sink.pcm) >= 16 * 300 - 20


def test_joins_do_not_click():
    rig = VoiceRig()
    rig.hello()
    rig.step(50)
    rig.audio("slow", ms=52, pcm=tone(52, hz=110))
    rig.step(200)
    rig.audio("slow", seq=1, pcm=tone(100, hz=110)[60:])
    rig.step(200)
    smooth = np.abs(np.diff(tone(100, hz=110).astype(int))).max()
    assert np.abs(np.diff(rig.sink.pcm.astype(int))).max() <= 3 * smooth


def test_pause_holds_and_resume_loses_nothing():
    rig = VoiceRig()
    rig.hello()
    rig.speak(ms=500)
    rig.step(200)
    rig.say(wire.Pause())
    rig.step(100)
    assert rig.playback.anchor().phase == "paused"
    played = rig.queue.turns[0].played_ms
    rig.step(1000)
    assert rig.queue.turns[0].played_ms == played
    rig.say(wire.Resume())
    rig.step(500)
    assert rig.got(wire.Finished)[0].played_ms == 500.0


def test_interrupt_fades_within_the_device_buffer_and_starts_a_new_epoch():
    rig = VoiceRig(buffer_ms=25, fade_ms=5)
    rig.hello()
    rig.speak(ms=2000)
    rig.step(300)
    epoch, written = rig.playback.epoch, len(rig.sink.pcm)
    rig.say(wire.Interrupt(turn="t"))
    rig.step(200)
    assert rig.playback.epoch == epoch + 1
    assert rig.got(wire.Interrupted)[0].turns == ("t",)
    tail = rig.sink.pcm[written:]
    assert np.flatnonzero(tail)[-1] < 16 * 6
    assert np.abs(np.diff(rig.sink.pcm.astype(int))).max() <= 2 * np.abs(np.diff(tone(50).astype(int))).max()
    finished = rig.got(wire.Finished)[0]
    assert finished.interrupted
    assert finished.reason == "interrupted"
    assert 250 < finished.played_ms < 340


def test_interrupt_all_drops_the_queue_and_a_new_turn_plays_at_once():
    rig = VoiceRig()
    rig.hello()
    for name in ("one", "two", "three"):
        rig.speak(name, ms=1000)
    rig.step(300)
    rig.say(wire.Interrupt())
    rig.speak("next", ms=100)
    rig.step(300)
    assert {m.turn: m.interrupted for m in rig.got(wire.Finished)} == {
        "one": True,
        "two": True,
        "three": True,
        "next": False,
    }
    assert rig.got(wire.Started)[-1].turn == "next"
    assert rig.got(wire.Started)[-1].latency_ms <= 60
    waited_ms = {m.turn: m.latency_ms for m in rig.got(wire.Started)}
    assert {m.turn: m.latency_ms for m in rig.got(wire.Finished)} == {"two": None, "three": None, **waited_ms}
    assert {m.stalls for m in rig.got(wire.Finished)} == {0}


def test_many_interruptions_leave_no_turn_and_no_segment_behind():
    rig = VoiceRig()
    rig.hello()
    random = np.random.default_rng(7)
    for number in range(200):
        rig.speak(f"t{number}", ms=400)
        rig.step(5 * int(random.integers(1, 40)))
        rig.say(wire.Interrupt())
    rig.step(200)
    assert len(rig.got(wire.Finished)) == 200
    assert not rig.queue.turns
    assert len(rig.playback._playout_log.segments) <= 2
    rig.speak("alive", ms=100)
    rig.step(300)
    assert rig.got(wire.Finished)[-1].reason == "played"


def test_late_audio_of_an_interrupted_turn_is_refused():
    rig = VoiceRig()
    rig.hello()
    rig.speak(ms=500, end=False)
    rig.step(100)
    rig.say(wire.Interrupt(turn="t"))
    rig.audio(seq=25)
    rig.step(300)
    rig.audio(seq=26)
    assert rig.errors() == ["turn_closed", "turn_closed"]


def test_anchors_follow_what_is_heard_to_the_sample(any_device):
    rig = VoiceRig(rate_hz=48000)
    rig.hello()
    rig.step(50)
    rig.speak(ms=1000)
    seen = []
    for _ in range(150):
        rig.step(5)
        anchor = rig.playback.anchor()
        if anchor.phase == "speaking" and anchor.media_ns > 0:
            seen.append(anchor.at_ns - anchor.media_ns)
    assert len(seen) > 100
    allowed_ns = 25_000 if any_device == "ideal" else 5_000_000  # a frame at 48 kHz, and rounding; half a step
    assert max(seen) - min(seen) <= allowed_ns


def test_media_time_of_an_epoch_never_steps_back():
    rig = VoiceRig()
    rig.hello()
    rig.speak("one", ms=300, end=False)
    before = (0, 0)
    for number in range(200):
        if number == 80:
            rig.audio("one", seq=15, ms=300)
        if number == 100:
            rig.say(wire.End(turn="one"))
            rig.speak("two", ms=100)
        rig.step(5)
        now = (rig.playback.epoch, rig.playback.media_ns)
        assert now >= before
        before = now
    assert before[1] == 700_000_000


def test_a_lost_card_is_not_reported_as_heard():
    rig = VoiceRig()
    rig.hello()
    rig.speak(ms=1000)
    rig.step(300)
    rig.sink.close()
    rig.step(5)
    assert rig.voice.sinks.state == "lost"
    rig.step(1200)
    finished = rig.got(wire.Finished)[0]
    assert finished.reason == "sink_lost"
    assert finished.played_ms < 320


def test_volume_fades_in_steps_without_a_jump():
    rig = VoiceRig()
    rig.hello()
    rig.speak(ms=1000)
    rig.step(200)
    rig.say(wire.Volume(gain=0.25, fade_ms=50))
    rig.step(900)
    late = np.abs(rig.sink.pcm[16 * 800 : 16 * 900]).max()
    assert late == pytest.approx(2000, rel=0.02)
    assert np.abs(np.diff(rig.sink.pcm.astype(int))).max() <= np.abs(np.diff(tone(50).astype(int))).max() + 1


def test_eight_simulated_hours_do_not_drift():
    """The clock of a long session is stepped coarsely: only the arithmetic is under test."""
    rig = VoiceRig(buffer_ms=200, device=RecordingSink)
    rig.sink.write = lambda pcm: super(type(rig.sink), rig.sink).write(pcm)  # keep nothing
    rig.hello()
    for number in range(8 * 60):
        rig.audio(f"t{number}", pcm=tone(400))
        rig.say(wire.End(turn=f"t{number}"))
        for _ in range(45):
            rig.playback.step()
            rig.clock.advance_ms(20)
        rig.clock.advance_ms(60_000 - 45 * 20)
        assert rig.got(wire.Finished)[-1].played_ms == 400.0
        rig.sent.clear()


def test_the_fade_after_an_interrupt_is_no_media_time_of_the_new_epoch():
    rig = VoiceRig(fade_ms=20, buffer_ms=60)
    rig.hello()
    rig.speak(ms=2000)
    rig.step(300)
    rig.say(wire.Interrupt())
    rig.speak("next", ms=200)
    for _ in range(4):
        rig.step(5)
        anchor = rig.playback.anchor()
        assert anchor.epoch == rig.playback.epoch
        assert anchor.media_ns == 0
        assert anchor.at_ns >= rig.clock.now_ns() - 5_000_000
    assert rig.queue.turns[-1].playout.start_frame == 0
    rig.step(400)
    assert rig.got(wire.Finished)[-1].played_ms == 200.0


def test_turns_that_wait_for_an_agent_begin_a_new_epoch_without_a_sound():
    """The face was told of the waiting turn and its place: it has to forget both."""
    rig = VoiceRig(preroll_ms=1000)
    rig.hello()
    rig.hello(b"agent", role="agent")
    rig.preroll.note_seen(rig.clock.now_ns())
    rig.speak(ms=300)
    rig.step(20)
    assert rig.queue.turns[0].feed.published_frames
    epoch = rig.playback.epoch
    rig.say(wire.TakeFloor(), client=b"agent")
    assert rig.playback.epoch == epoch + 1
    assert rig.queue.turns[0].held
    rig.playback.hold([])
    assert rig.playback.epoch == epoch + 1


def test_started_counts_the_latency_behind_the_device():
    told = {}
    for latency_ms in (0.0, 100.0):
        rig = VoiceRig(output_latency_ms=latency_ms)
        rig.hello()
        rig.step(50)
        rig.speak(ms=100)
        rig.step(400)
        told[latency_ms] = rig.got(wire.Started)[0].latency_ms
    assert told[100.0] - told[0.0] == pytest.approx(100, abs=0.2)


def test_the_anchor_before_a_turn_opens_says_why_time_stands():
    rig = VoiceRig(preroll_ms=200)
    rig.hello()
    rig.preroll.note_seen(rig.clock.now_ns())
    rig.step(20)
    assert rig.playback.anchor().phase == "idle"
    rig.speak(ms=100)
    rig.step(20)
    anchor = rig.playback.anchor()
    assert (anchor.phase, anchor.turn, anchor.media_ns, anchor.until_ns) == ("preroll", "", 0, 0)
    rig.step(500)
    assert rig.playback.anchor().phase == "idle"


def test_the_place_of_a_turn_that_the_face_was_told_of_is_not_given_to_another():
    rig = VoiceRig()
    rig.hello()
    rig.speak("one", ms=400)
    rig.speak("two", ms=300)
    rig.step(100)
    assert rig.queue.turns[1].feed.published_frames
    rig.say(wire.Interrupt(turn="two"))
    rig.speak("three", ms=100)
    rig.step(5)
    assert [turn.playout.start_frame for turn in rig.queue.turns if turn.name == "three"] == [16 * 700]
    rig.step(700)
    assert [m.turn for m in rig.got(wire.Finished)] == ["two", "one", "three"]


def test_progress_comes_as_often_as_it_was_configured():
    rig = VoiceRig(voice=VoiceConfig(progress_ms=100))
    rig.hello()
    rig.speak(ms=1000)
    rig.step(900)
    progress = rig.got(wire.Progress)
    assert len(progress) == 9
    assert [m.played_ms for m in progress] == sorted(m.played_ms for m in progress)
    assert all(m.played_ms + m.buffered_ms == pytest.approx(1000, abs=0.01) for m in progress)


@pytest.mark.parametrize("wake_ms", [100, 103])
def test_what_a_new_device_needs_first_is_silence(wake_ms):
    rig = VoiceRig()
    rig.hello()
    rig.step(50)
    card = rig.open_device()
    rig.playback.use_sink(card, audible=True, wake_ms=wake_ms)
    rig.speak(pcm=tone(100)[1:])
    rig.step(400)
    assert np.argmax(card.pcm != 0) == 16 * wake_ms
    assert rig.got(wire.Finished)[0].played_ms == pytest.approx(100, abs=0.1)


def test_the_configured_volume_holds_from_the_first_sample_and_clients_set_a_share_of_it():
    rig = VoiceRig(volume=0.5)
    rig.hello()
    rig.speak("first", pcm=np.full(3200, 8000, np.int16))
    rig.step(400)
    loud = rig.sink.pcm[rig.sink.pcm != 0]
    assert set(loud[:3000]) == {4000}
    rig.say(wire.Volume(gain=0.5, fade_ms=0))
    rig.speak("second", pcm=np.full(3200, 8000, np.int16))
    rig.step(400)
    assert int(rig.sink.pcm[rig.sink.pcm != 0][-200]) == 2000


def test_a_voice_that_closes_finishes_every_turn_and_closes_its_sink():
    rig = VoiceRig()
    rig.hello()
    rig.speak("heard", ms=500)
    rig.speak("waiting", ms=500)
    rig.step(300)
    rig.voice.close()
    ends = [(m.turn, m.reason, m.interrupted) for m in rig.got(wire.Finished)]
    assert ends == [("heard", "shutdown", True), ("waiting", "shutdown", True)]
    with pytest.raises(SinkError):
        rig.sink.delay_frames()


def test_what_a_device_counted_before_it_was_used_is_no_underrun_of_ours():
    rig = VoiceRig()
    card = rig.open_device()
    card.underruns = 3
    rig.playback.use_sink(card, audible=True)
    rig.step(100)
    assert rig.counters["sink_underruns"] == 0


def test_what_a_lost_device_still_held_was_not_heard():
    rig = VoiceRig()
    rig.hello()
    rig.speak(ms=1000)
    rig.step(300)
    heard_ms = rig.queue.turns[0].played_ms
    rig.sink.close()
    rig.step(1500)
    assert [(message.played_ms, message.reason) for message in rig.got(wire.Finished)] == [(heard_ms, "sink_lost")]


def test_the_epochs_of_a_restarted_voice_are_newer():
    """They begin with the clock's ms: a voice makes no thousand of them a second."""
    rig = VoiceRig()
    assert rig.playback.epoch == rig.clock.now_ns() // 10**6
    assert rig.playback.anchor().epoch == rig.playback.epoch


def test_a_new_epoch_knows_nothing_of_the_places_that_were_taken_in_the_old_one():
    rig = VoiceRig()
    rig.hello()
    rig.speak("one", ms=400)
    rig.speak("two", ms=300)
    rig.step(100)
    assert rig.queue.turns[1].feed.published_frames
    rig.say(wire.Interrupt(turn="two"))
    rig.say(wire.Interrupt())
    rig.speak("three", ms=100)
    rig.step(5)
    assert [turn.playout.start_frame for turn in rig.queue.turns if turn.name == "three"] == [0]


def test_at_a_pause_the_anchor_promises_what_is_in_the_device_and_no_more():
    rig = VoiceRig()
    rig.hello()
    rig.speak(ms=1000)
    rig.step(200)
    rig.say(wire.Pause())
    until_ns = rig.playback.anchor().until_ns
    rig.step(200)
    assert rig.queue.turns[0].played_ms < 300
    assert until_ns == pytest.approx(rig.queue.turns[0].played_ms * 1e6, abs=1)
