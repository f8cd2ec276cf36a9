"""What the face is told of phones, on a manual clock."""

import pytest

from mien.core import bus, wire
from mien.voice.phones import BYTES_EACH, WORD_BYTES
from rigs.voice_rig import VoiceRig

pytestmark = pytest.mark.usefixtures("any_device")

WORDS = (wire.PhoneWord("h aɪ", 0, 180), wire.PhoneWord("ð ɛ ɹ"))


@pytest.fixture
def rig():
    rig = VoiceRig()
    rig.hello()
    rig.step(50)
    return rig


def cues(rig):
    return [message for message in rig.published if isinstance(message, bus.PhoneCue)]


def test_words_reach_the_face_before_the_speech_that_they_belong_to(rig):
    rig.say(wire.Phones(turn="t", words=WORDS))
    rig.step(50)
    assert cues(rig) == []  # no such turn yet
    rig.speak(ms=500)
    rig.step(100)
    (cue,) = cues(rig)
    assert (cue.turn, cue.first, cue.turn_start_ns) == ("t", 0, 0)
    assert cue.words == (("h aɪ", 0, 180), ("ð ɛ ɹ", None, None))


def test_no_speech_goes_out_before_the_phones(rig):
    rig.say(wire.Phones(turn="t", words=WORDS))
    rig.speak(ms=500)
    while not cues(rig):
        assert rig.speech == []
        rig.step(5)


def test_each_word_is_told_once_and_later_ones_follow(rig):
    rig.speak(ms=2000, end=False)
    rig.step(100)
    for word in WORDS:
        rig.say(wire.Phones(turn="t", words=(word,)))
        rig.step(50)
    assert [(cue.first, len(cue.words)) for cue in cues(rig)] == [(0, 1), (1, 1)]


def test_a_face_that_joins_is_told_all_of_it(rig):
    rig.say(wire.Phones(turn="t", words=WORDS))
    rig.speak(ms=2000)
    rig.step(100)
    rig.voice.joined()
    rig.step(50)
    assert [cue.first for cue in cues(rig)] == [0, 0]


def test_too_many_words_are_refused_and_change_nothing(rig):
    for _ in range(5):
        rig.say(wire.Phones(turn="t", words=(wire.PhoneWord("a"),) * 900))
    assert rig.errors()[-1] == "phones_too_long"
    rig.speak(ms=500)
    rig.step(1000)
    assert sum(len(cue.words) for cue in cues(rig)) == 3600


def test_the_phones_of_a_client_are_bounded(rig):
    words = (wire.PhoneWord("m" * 100),) * 100
    for number in range(BYTES_EACH // (100 * WORD_BYTES)):
        rig.say(wire.Phones(turn=str(number), words=words))
    early = rig.queue.phones._early
    assert sum(len(each) for turns in early.values() for each in turns.values()) * (WORD_BYTES + 200) <= BYTES_EACH
