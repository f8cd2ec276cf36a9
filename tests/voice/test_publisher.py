"""Speech for the face: how far ahead, what is kept for one that rejoins, and what is not."""

import pytest

from mien.core import bus, wire
from rigs.voice_rig import VoiceRig

MS = 1_000_000


def replayed(rig):
    """(turn, ms since the turn began) of the speech that a face would be told now, and the turns that end in it."""
    messages = [bus.decode_from_voice(frames[0]) for frames in rig.publisher.replay()]
    speech = [(m.turn, m.offset // 16) for m in messages if isinstance(m, bus.Speech)]
    return speech, [m.turn for m in messages if isinstance(m, bus.TurnEnd)]


def speaking(ms=3000, **settings):
    rig = VoiceRig(**settings)
    rig.hello()
    rig.step(50)
    rig.speak(ms=ms)
    return rig


@pytest.mark.parametrize("ahead_ms", [200, 1000])
def test_no_more_is_published_than_speech_ahead(ahead_ms):
    rig = speaking(speech_ahead_ms=ahead_ms)
    rig.step(400)
    media_ms = rig.playback.media_ns / MS
    last = max(message.offset for message, _ in rig.speech if isinstance(message, bus.Speech)) / 16
    assert media_ms + ahead_ms - 30 <= last <= media_ms + ahead_ms


def test_half_a_second_behind_the_playhead_is_kept_for_a_face_that_rejoins():
    rig = speaking()
    rig.step(1500)
    speech, ends = replayed(rig)
    media_ms = rig.playback.media_ns / MS
    assert media_ms - 500 - 10 <= speech[0][1] <= media_ms - 500 + 25
    assert [at for _, at in speech] == list(range(speech[0][1], speech[-1][1] + 20, 20))
    assert speech[-1][1] >= media_ms + 970
    assert ends == []


def test_an_interrupted_turn_is_not_told_again():
    """Its place was not the one that is heard, so the epoch goes on: what is kept of the others is told."""
    rig = VoiceRig()
    rig.hello()
    rig.step(50)
    rig.speak("one", ms=300)
    rig.speak("two", ms=300)
    rig.step(100)
    epoch = rig.playback.epoch
    assert {turn for turn, _ in replayed(rig)[0]} == {"one", "two"}
    rig.say(wire.Interrupt(turn="two"))
    rig.step(5)
    assert rig.playback.epoch == epoch
    speech, ends = replayed(rig)
    assert {turn for turn, _ in speech} == {"one"}
    assert ends == ["one"]


def test_a_new_epoch_forgets_what_was_kept():
    rig = speaking()
    rig.step(300)
    rig.say(wire.Interrupt())
    rig.step(5)
    assert replayed(rig) == ([], [])


def test_the_end_of_a_turn_says_where_it_lies():
    rig = speaking(ms=310)
    rig.step(100)
    [end] = [message for message, _ in rig.speech if isinstance(message, bus.TurnEnd)]
    assert (end.frames, end.turn_start_ns, end.end_ns) == (16 * 310, 0, 310 * MS)
    assert [message.offset for message, _ in rig.speech if isinstance(message, bus.Speech)] == list(range(0, 4960, 320))
    assert len(rig.speech[-2][1][0]) == 2 * 160  # the rest, shorter than a block


def test_a_turn_that_is_not_ended_keeps_what_makes_no_whole_block():
    rig = VoiceRig()
    rig.hello()
    rig.audio(ms=50)
    rig.step(20)
    assert [len(payload[0]) for _, payload in rig.speech] == [640, 640]


def test_a_turn_that_waits_for_an_agent_is_not_told_again_at_its_old_place():
    rig = VoiceRig(preroll_ms=1000)
    rig.hello()
    rig.hello(b"agent", role="agent")
    rig.preroll.note_seen(rig.clock.now_ns())
    rig.speak(ms=300)
    rig.step(20)
    assert replayed(rig)[0]
    rig.say(wire.TakeFloor(), client=b"agent")
    rig.step(5)
    assert replayed(rig) == ([], [])


def test_of_a_turn_that_is_heard_nothing_is_kept_to_be_published_again():
    """Only a turn that has not opened may be held, and is then told to the face anew."""
    rig = VoiceRig(preroll_ms=500)
    rig.hello()
    rig.preroll.note_seen(rig.clock.now_ns())
    rig.speak(ms=2000)
    rig.step(50)
    [turn] = rig.queue.turns
    assert len(turn.feed.unheard) > 0
    rig.preroll.note_ready(rig.playback.epoch, 10**10, rig.clock.now_ns())
    rig.step(200)
    assert turn.playout.taken_frames > 0
    assert len(turn.feed.unheard) == 0
