"""What the face is told of captions, on a manual clock."""

import pytest

from mien.core import bus, wire
from rigs.voice_rig import VoiceRig

pytestmark = pytest.mark.usefixtures("any_device")

WORDS = (wire.Word("Good", 0, 200), wire.Word("day", 220, 400))


@pytest.fixture
def rig():
    rig = VoiceRig()
    rig.hello()
    rig.step(50)
    return rig


def cues(rig):
    return [message for message in rig.published if isinstance(message, bus.CaptionCue)]


def test_a_cue_has_text_words_place_and_length(rig):
    rig.say(wire.Caption(turn="t", text="Good day", words=WORDS))
    rig.step(50)
    assert cues(rig) == []  # no such turn yet
    rig.speak(ms=500)
    rig.step(50)
    (cue,) = cues(rig)
    assert (cue.turn, cue.text, cue.turn_start_ns, cue.length_ms) == ("t", "Good day", 0, 500)
    assert cue.words == (("Good", 0, 200), ("day", 220, 400))
    assert cue.epoch == rig.playback.epoch


def test_it_is_told_once_and_again_only_when_something_changes(rig):
    rig.say(wire.Caption(turn="t", text="Good "))
    rig.speak(ms=2000, end=False)
    rig.step(300)
    assert len(cues(rig)) == 1
    assert cues(rig)[0].length_ms == 0
    rig.say(wire.Caption(turn="t", text="day", append=True))
    rig.step(300)
    assert [cue.text for cue in cues(rig)] == ["Good ", "Good day"]
    rig.say(wire.End(turn="t"))
    rig.step(300)
    assert (len(cues(rig)), cues(rig)[-1].length_ms) == (3, 2000)


def test_a_later_turn_comes_with_its_place_shortly_before_it_is_heard(rig):
    for name in ("one", "two"):
        rig.say(wire.Caption(turn=name, text=name))
        rig.speak(name, ms=1500)
    rig.step(200)
    assert [cue.turn for cue in cues(rig)] == ["one"]
    rig.step(700)
    assert [(cue.turn, cue.turn_start_ns) for cue in cues(rig)] == [("one", 0), ("two", 1_500_000_000)]


def test_an_interrupted_turn_is_not_told_of_again_and_the_new_epoch_has_the_next(rig):
    rig.say(wire.Caption(turn="t", text="Good day"))
    rig.speak(ms=2000)
    rig.step(500)
    rig.say(wire.Interrupt(turn="t"))
    rig.say(wire.Caption(turn="u", text="Sorry"))
    rig.speak("u", ms=500)
    rig.step(500)
    assert [(cue.turn, cue.epoch) for cue in cues(rig)] == [("t", rig.playback.epoch - 1), ("u", rig.playback.epoch)]


def test_a_takeover_tells_of_the_agents_turn_and_later_again_of_the_held_one(rig):
    rig.say(wire.Hello(protocol=1, role="agent", client="Ada"), client=b"agent")
    for name in ("first", "held"):
        rig.say(wire.Caption(turn=name, text=name))
        rig.speak(name, ms=600)
    rig.step(300)
    rig.say(wire.TakeFloor(queue="hold"), client=b"agent")
    rig.say(wire.Caption(turn="first", text="a person speaks"), client=b"agent")
    rig.speak("first", ms=600, client=b"agent")
    rig.step(300)
    assert cues(rig)[-1].text == "a person speaks"
    rig.say(wire.ReleaseFloor(), client=b"agent")
    rig.step(2000)
    assert cues(rig)[-1].text == "held"


def test_a_face_that_joins_is_told_what_is_being_said(rig):
    rig.say(wire.Caption(turn="t", text="Good day"))
    rig.speak(ms=2000)
    rig.step(900)
    before = cues(rig)
    rig.voice.captions.renew()
    rig.step(20)
    assert cues(rig) == [*before, before[0]]


def test_a_turn_has_a_limited_text(rig):
    for _ in range(4):
        rig.say(wire.Caption(turn="t", text="x" * 4000, append=True))
    assert rig.errors() == []
    rig.say(wire.Caption(turn="t", text="x", append=True))
    assert rig.errors() == ["caption_too_long"]


def test_a_caption_can_be_taken_back(rig):
    rig.say(wire.Caption(turn="t", text="Good day"))
    rig.speak(ms=2000)
    rig.step(200)
    rig.say(wire.Caption(turn="t"))
    rig.step(200)
    assert [cue.text for cue in cues(rig)] == ["Good day", ""]
