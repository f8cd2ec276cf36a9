"""After many turns nothing is kept of those that are over."""

import numpy as np
import pytest

from mien.core import wire
from rigs.voice_rig import VoiceRig, tone


@pytest.fixture
def rig():
    """Forty short turns with captions and phones; half of them are interrupted."""
    rig = VoiceRig()
    rig.ear_health()
    rig.hello()
    for number in range(40):
        name = f"t{number}"
        rig.say(wire.Caption(turn=name, text="one two", words=(wire.Word("one", 0, 20), wire.Word("two", 20, 40))))
        rig.say(wire.Phones(turn=name, words=(wire.PhoneWord("w ʌ n"),)))
        rig.audio(name, pcm=tone(40))
        rig.say(wire.End(turn=name))
        rig.step(30)
        if number % 2:
            rig.say(wire.Interrupt())
        rig.step(90)
        if number % 20 == 0:
            rig.ear_health()
    rig.step(1000)
    return rig


def test_neither_in_the_queue_nor_in_what_the_face_is_told(rig):
    queue, voice = rig.queue, rig.voice
    assert (queue.turns, queue._unbegun) == ([], {})
    assert len(queue._closed[b"a"]) == 40
    assert not any(queue.captions._early.values())
    assert not any(queue.phones._early.values())
    assert (voice.captions._sent, voice.captions._sent_ns, voice.phones._sent) == ({}, {}, {})
    assert len(voice.speech._kept) <= 60
    assert len(rig.playback._playout_log.segments) <= 2
    assert (rig.playback._open, rig.playback._head) == (None, None)
    assert rig.playback.heard_turn is None
    assert list(rig.playback._rebuffer._events) == []
    assert voice.barge_in._episode is None
    assert len(voice.orphans) == 0


def test_nor_of_a_client_that_has_left(rig):
    rig.say(wire.GetThumbnail(width=64))
    rig.voice.left(b"a")
    rig.step(2000)
    voice = rig.voice
    assert (rig.queue._closed, rig.queue._unbegun) == ({}, {})
    assert (len(voice.sessions), len(rig.handler.limits), voice.observers._waiting) == (0, 0, {})
    assert (voice.expressions._owners, voice.pauses._since_ns, voice.mutes._names) == ({}, {}, {})


def test_an_ear_that_is_gone_leaves_no_sound_for_the_next(rig):
    feed = rig.voice.ear._far_end
    rig.audio("last", pcm=np.full(1600, 1000, np.int16))
    rig.playback.step()
    assert feed._blocks
    feed.stop("ear")
    assert (feed._blocks, feed.on, rig.playback.device.tap) == ([], False, None)


def test_what_was_cut_holds_no_sound(rig):
    rig.audio("long", pcm=tone(2000))
    rig.step(100)
    [turn] = rig.queue.turns
    rig.say(wire.Interrupt())
    assert (len(turn.speech), len(turn.feed.unheard), turn.held, turn.ended) == (0, 0, False, True)
    assert len(turn.pcm) <= rig.playback._mixer.fade_frames
    assert len(turn.pcm._waiting) == 0
