"""What a conversation does to turns: words, haste and slowness, pauses, and queues that are cut in the middle."""

import numpy as np
import pytest

from mien.config import VoiceConfig
from mien.core import bus, wire
from rigs.voice_rig import VoiceRig, tone

pytestmark = pytest.mark.usefixtures("any_device")

WORDS = (wire.Word("good", 0, 200), wire.Word("morning", 200, 500), wire.Word("everyone", 500, 1000))


@pytest.fixture
def rig():
    rig = VoiceRig()
    rig.hello()
    rig.step(50)
    return rig


def interrupted_at(rig, played_ms):
    while not rig.queue.turns[0].played_ms >= played_ms:
        rig.step(5)
    rig.say(wire.Interrupt())
    rig.step(100)
    return rig.got(wire.Finished)[-1]


@pytest.mark.parametrize("when", ["before", "during", "appended"])
def test_an_interrupt_tells_the_last_word_that_was_heard(rig, when):
    if when == "before":
        rig.say(wire.Caption(turn="t", words=WORDS))
    rig.speak(ms=1000, end=False)
    if when == "during":
        rig.step(50)
        rig.say(wire.Caption(turn="t", words=WORDS))
    if when == "appended":
        rig.say(wire.Caption(turn="t", words=WORDS[:1]))
        rig.say(wire.Caption(turn="t", words=WORDS[1:], append=True))
    finished = interrupted_at(rig, 520)
    assert (finished.words_heard, finished.last_word) == (2, "morning")


def test_a_word_counts_from_its_half(rig):
    rig.say(wire.Caption(turn="t", words=WORDS))
    rig.speak(ms=1000)
    finished = interrupted_at(rig, 300)
    assert finished.played_ms < 350
    assert (finished.words_heard, finished.last_word) == (1, "good")


def test_a_turn_that_was_heard_tells_all_its_words(rig):
    rig.say(wire.Caption(turn="t", words=WORDS))
    rig.speak(ms=980)  # a TTS engine's times are a little longer than its audio
    rig.step(1200)
    assert (rig.got(wire.Finished)[0].words_heard, rig.got(wire.Finished)[0].last_word) == (3, "everyone")


def test_captions_are_bounded(rig):
    many = tuple(wire.Word("w", n, n) for n in range(500))
    for _ in range(wire.MAX_WORDS // 500):
        rig.say(wire.Caption(turn="t", words=many, append=True))
    rig.say(wire.Caption(turn="t", words=many, append=True))
    assert rig.errors() == ["caption_too_long"]
    for number in range(1000):
        rig.say(wire.Caption(turn=f"never-{number}", words=WORDS))
    assert len(rig.queue.captions._early[b"a"]) <= VoiceConfig().max_turns


def test_fifty_times_faster_than_real_time_is_held_back_and_heard_whole():
    rig = VoiceRig(voice=VoiceConfig(max_buffer_ms=2000))
    rig.hello()
    rig.step(50)
    speech, sent = tone(20_000), 0
    while sent < 1000:
        for _ in range(50 * 5 // 20):  # chunks of 20 ms in 5 ms of time
            if rig.queue.credit_ms(b"a") >= 20 and sent < 1000:
                rig.audio("t", sent, speech[320 * sent : 320 * (sent + 1)])
                sent += 1
        rig.step(5)
    rig.say(wire.End(turn="t"))
    rig.step(2500)
    assert rig.errors() == []
    assert rig.got(wire.Finished)[0].played_ms == 20_000.0
    heard = np.trim_zeros(rig.sink.pcm)
    assert np.array_equal(heard[: len(speech) - 1], speech[1:])  # and then the decay to silence


def test_far_slower_than_real_time_stalls_and_resumes_without_a_click(rig):
    speech = tone(400, hz=110)
    for seq, at in enumerate(range(0, len(speech), 320)):
        rig.audio("t", seq, speech[at : at + 320])
        rig.step(100)
    rig.say(wire.End(turn="t"))
    rig.step(300)
    assert rig.got(wire.Finished)[0].played_ms == 400.0
    assert 2 <= len(rig.got(wire.Stalled)) <= 5
    assert len(rig.got(wire.Rebuffered)) == len(rig.got(wire.Stalled))
    assert np.abs(np.diff(rig.sink.pcm.astype(int))).max() <= 3 * np.abs(np.diff(speech.astype(int))).max()


def test_end_before_audio_begins_and_finishes_a_silent_turn_and_refuses_the_audio(rig):
    rig.say(wire.End(turn="t"))
    rig.audio("t")
    rig.step(50)
    rig.audio("t")
    assert [m.played_ms for m in rig.got(wire.Finished)] == [0.0]
    assert rig.errors() == ["turn_closed", "turn_closed"]


def test_a_turn_that_never_ends_is_ended_and_the_next_is_heard(rig):
    rig.speak("endless", ms=100, end=False)
    rig.speak("next", ms=100)
    rig.step(VoiceConfig().turn_idle_timeout_ms + 500)
    assert [(m.turn, m.reason, m.played_ms) for m in rig.got(wire.Finished)] == [
        ("endless", "idle_timeout", 100.0),
        ("next", "played", 100.0),
    ]


def test_a_long_burst_is_given_its_time_after_it_was_heard_and_not_since_it_came(rig):
    """Twelve seconds at once: when they are heard, the last chunk came longer ago than a turn may be idle."""
    for seq in range(12):
        rig.audio("t", seq, tone(1000))
    rig.step(12_000 + VoiceConfig().turn_idle_timeout_ms - 200)
    assert rig.got(wire.Finished) == []
    rig.step(500)
    assert rig.got(wire.Finished)[0].reason == "idle_timeout"


def test_pause_and_resume_lose_no_sample_and_do_not_click(rig):
    rig.speak(pcm=tone(600, hz=110))
    for _ in range(4):
        rig.step(75)
        rig.say(wire.Pause())
        rig.step(100)
        rig.say(wire.Resume())
    rig.step(600)
    assert rig.got(wire.Finished)[0].played_ms == 600.0
    smooth = np.abs(np.diff(tone(100, hz=110).astype(int))).max()
    assert np.abs(np.diff(rig.sink.pcm.astype(int))).max() <= 3 * smooth


def test_a_pause_ends_with_the_client_that_asked_for_it(rig):
    rig.speak("mine", ms=100)
    rig.say(wire.Pause())
    rig.voice.left(b"a")
    rig.step(300)
    rig.hello(client=b"b")
    rig.speak("theirs", ms=100, client=b"b")
    rig.step(300)
    assert rig.got(wire.Finished, b"b")[0].played_ms == 100.0


def test_an_interrupt_while_paused_leaves_a_voice_that_speaks(rig):
    rig.speak("one", ms=300)
    rig.step(100)
    rig.say(wire.Pause())
    rig.step(100)
    rig.say(wire.Interrupt())
    rig.speak("two", ms=100)
    rig.step(300)
    assert [(m.turn, m.interrupted) for m in rig.got(wire.Finished)] == [("one", True), ("two", False)]


def test_a_queue_cut_behind_the_turn_that_is_heard_never_reuses_media_time_that_the_face_knows(rig):
    """A face takes speech at a place that it has passed for a replay: it would be mute for the new turn."""
    rig.speak("heard", ms=300)
    rig.speak("cut", ms=100)
    rig.speak("cut too", ms=100)
    rig.step(150)
    rig.say(wire.Interrupt(turn="cut"))
    rig.speak("new", ms=200)
    rig.step(600)
    places = {m.turn: (m.epoch, m.turn_start_ns) for m, _ in rig.speech if isinstance(m, bus.Speech)}
    assert places["new"] > places["cut too"] > places["heard"]
    told = [m.turn for m in rig.got(wire.Finished)]
    assert told.index("heard") < told.index("new")
    assert rig.got(wire.Finished)[-1].played_ms == 200.0


def test_anchors_follow_the_leap_over_a_dropped_turn(rig):
    rig.speak("heard", ms=300)
    rig.speak("cut", ms=400)
    rig.step(100)
    rig.say(wire.Interrupt(turn="cut"))
    rig.speak("new", ms=200)
    seen = {}
    for _ in range(100):
        rig.step(5)
        anchor = rig.playback.anchor()
        if anchor.phase == "speaking":
            seen.setdefault(anchor.turn, []).append(anchor)
    assert all(anchor.until_ns == 300_000_000 for anchor in seen["heard"])
    assert seen["new"][0].media_ns >= 700_000_000
    assert seen["new"][-1].until_ns == 900_000_000


def test_clients_that_come_and_go_leave_nothing_behind(rig):
    for number in range(200):
        client = b"c%d" % number
        rig.hello(client=client)
        rig.say(wire.Caption(turn="t", words=WORDS), client=client)
        rig.say(wire.Caption(turn="never", words=WORDS), client=client)
        rig.speak("t", ms=40, client=client)
        rig.voice.left(client)
        rig.step(150)
    assert not rig.queue.turns
    assert len(rig.queue._closed) <= 1
    assert len(rig.queue.captions._early) <= 1
    assert len(rig.voice.sessions) == 1
    rig.step(3000)
    assert len(rig.handler.limits) == 0


def test_a_turn_without_sound_waits_for_the_turns_before_it(rig):
    rig.speak("first", ms=300)
    rig.say(wire.End(turn="silent"))
    rig.speak("last", ms=100)
    rig.step(100)
    assert rig.got(wire.Finished) == []
    rig.step(600)
    assert [message.turn for message in rig.got(wire.Finished)] == ["first", "silent", "last"]


def test_the_latency_counts_from_the_first_chunk(rig):
    rig.audio(seq=0, ms=10)  # too little to open with
    rig.step(60)
    rig.audio(seq=1, ms=200)
    rig.step(200)
    assert 60 <= rig.got(wire.Started)[0].latency_ms <= 110


def test_of_several_dropped_turns_the_place_of_the_last_stays_taken_in_whatever_order_they_went():
    rig = VoiceRig()
    rig.hello()
    for name in ("one", "two", "three"):
        rig.speak(name, ms=200)
    rig.step(100)
    assert all(turn.feed.published_frames for turn in rig.queue.turns)
    rig.playback.interrupt([rig.queue.turns[2]])
    rig.playback.interrupt([rig.queue.turns[1]])
    rig.speak("four", ms=100)
    rig.step(5)
    assert [turn.playout.start_frame for turn in rig.queue.turns if turn.name == "four"] == [16 * 600]


def test_an_anchor_reaches_to_the_end_of_the_turns_that_follow_without_a_gap(rig):
    rig.speak("one", ms=100)
    rig.speak("two", ms=100)
    crossing = []
    for _ in range(60):
        rig.step(5)
        if len({segment.turn for segment in rig.playback._playout_log.segments if segment.turn}) == 2:
            crossing.append(rig.playback.anchor())
    assert {anchor.turn for anchor in crossing} == {"one"}
    assert {anchor.until_ns for anchor in crossing} == {200_000_000}


def test_what_a_client_sent_of_turns_that_never_begin_goes_with_it(rig):
    rig.say(wire.Caption(turn="later", text="x", words=(wire.Word("x", 0, 1),)))
    rig.say(wire.Phones(turn="later", words=(wire.PhoneWord("x"),)))
    assert rig.queue.captions._early
    assert rig.queue.phones._early
    rig.voice.left(b"a")
    assert (rig.queue.captions._early, rig.queue.phones._early) == ({}, {})


def test_the_refusal_of_an_end_is_not_that_of_a_chunk(rig):
    rig.hello(client=b"b")
    rig.speak(ms=200)
    rig.say(wire.End(turn="u"), client=b"b")
    [error] = rig.got(wire.Error, b"b")
    assert (error.code, error.turn, error.seq) == ("floor_taken", "u", -1)
