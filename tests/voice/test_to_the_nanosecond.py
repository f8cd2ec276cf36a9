"""What is due after some time is due then, not before and not later."""

import numpy as np
import pytest

from mien.config import VoiceConfig
from mien.core import bus, ear_bus, wire
from mien.units import NS_PER_MS, NS_PER_S
from rigs.voice_rig import VoiceRig, tone

AGENT, EYE = b"agent", b"eye"


def at(rig, ns, act):
    """What `act` gives at ns, and at the moment before."""
    rig.clock.advance_ns(ns - 1 - rig.clock.now_ns())
    before = act()
    rig.clock.advance_ns(1)
    return before, act()


@pytest.fixture
def rig():
    rig = VoiceRig(
        voice=VoiceConfig(
            floor_vanish_timeout_ms=2000, floor_idle_timeout_ms=5000, max_pause_ms=3000, turn_idle_timeout_ms=4000
        )
    )
    rig.hello()
    rig.hello(client=AGENT, role="agent")
    rig.hello(client=EYE, role="observer")
    return rig


class TestFloor:
    def held(self, rig):
        rig.voice.floor.step(rig.clock.now_ns())
        return rig.voice.floor.holder is not None

    def test_one_that_vanished_keeps_it_for_its_time(self, rig):
        rig.say(wire.TakeFloor(), client=AGENT)
        rig.clock.advance_ms(1000)
        gone_ns = rig.clock.now_ns()
        rig.voice.left(AGENT)
        assert at(rig, gone_ns + 2 * NS_PER_S, lambda: self.held(rig)) == (True, False)
        assert rig.got(wire.Floor)[-1].why == "vanished"

    def test_one_that_says_nothing_keeps_it_for_its_time(self, rig):
        rig.say(wire.TakeFloor(), client=AGENT)
        rig.clock.advance_ms(1500)
        rig.say(wire.Ping(), client=AGENT)
        heard_ns = rig.clock.now_ns()
        assert at(rig, heard_ns + 5 * NS_PER_S, lambda: self.held(rig)) == (True, False)
        assert rig.got(wire.Floor)[-1].why == "idle_timeout"

    def test_one_that_vanishes_twice_has_no_more_time(self, rig):
        rig.say(wire.TakeFloor(), client=AGENT)
        gone_ns = rig.clock.now_ns()
        rig.voice.floor.leave(AGENT, gone_ns)
        rig.voice.floor.leave(AGENT, gone_ns + NS_PER_S)
        rig.voice.floor.note(AGENT, gone_ns + NS_PER_S)
        assert at(rig, gone_ns + 2 * NS_PER_S, lambda: self.held(rig)) == (True, False)

    def test_what_another_says_does_not_keep_it(self, rig):
        rig.say(wire.TakeFloor(), client=AGENT)
        taken_ns = rig.clock.now_ns()
        rig.clock.advance_ms(1500)
        rig.say(wire.Ping())
        assert at(rig, taken_ns + 5 * NS_PER_S, lambda: self.held(rig)) == (True, False)


def test_a_pause_lasts_for_its_time(rig):
    rig.say(wire.Pause())
    since_ns = rig.clock.now_ns()

    def paused():
        rig.voice.pauses.step(rig.clock.now_ns())
        return bool(rig.voice.pauses)

    assert at(rig, since_ns + 3 * NS_PER_S, paused) == (True, False)
    assert [resumed.why for resumed in rig.got(wire.Resumed)] == ["pause_timeout"]


def test_a_turn_that_is_not_ended_waits_for_its_time_and_a_moment_longer(rig):
    rig.audio(pcm=np.zeros(0, np.int16))
    heard_ns = rig.clock.now_ns()
    turn = rig.queue.turns[0]

    def ended():
        rig.queue.expire(rig.clock.now_ns())
        return turn.ended

    assert at(rig, heard_ns + 4 * NS_PER_S + 1, ended) == (False, True)
    assert turn.end_reason == "idle_timeout"


class TestObservers:
    def step(self, rig):
        rig.sent.clear()
        rig.published.clear()
        rig.voice.observers.step(rig.clock.now_ns(), rig.voice.expressions.now, "")

    def test_levels_come_every_tenth_of_a_second(self, rig):
        rig.say(wire.Subscribe(topics=("levels",)), client=EYE)
        self.step(rig)
        told_ns = rig.clock.now_ns()

        def told():
            self.step(rig)
            return len(rig.got(wire.Levels, EYE))

        assert at(rig, told_ns + 100 * NS_PER_MS, told) == (0, 1)
        assert at(rig, told_ns + 200 * NS_PER_MS, told) == (0, 1)

    def test_a_picture_is_asked_for_twice_a_second_and_waited_for_two(self, rig):
        rig.say(wire.GetThumbnail(width=64), client=EYE)
        asked_ns = rig.clock.now_ns()
        self.step(rig)
        assert [type(message) for message in rig.published] == [bus.ThumbnailRequest]

        def asked():
            self.step(rig)
            return len(rig.published), rig.errors(EYE)

        for number in (1, 2, 3, 4):
            due_ns = asked_ns + number * 500 * NS_PER_MS
            assert at(rig, due_ns, asked) == ((0, []), (1, []))
        assert at(rig, asked_ns + 2 * NS_PER_S + 1, asked) == ((0, []), (0, ["no_thumbnail"]))
        rig.clock.advance_ms(1000)
        assert asked() == (0, [])


class TestSessions:
    def newcomer(self, rig, identity):
        rig.sent.clear()
        rig.hello(client=identity)
        return rig.errors(identity)

    def test_an_idle_session_keeps_its_place_for_half_a_second(self):
        rig = VoiceRig(voice=VoiceConfig(max_clients=1))
        rig.hello(client=b"old")
        came_ns = rig.clock.now_ns()
        assert at(rig, came_ns + 500 * NS_PER_MS, lambda: self.newcomer(rig, b"new")) == (["too_many_clients"], [])
        assert rig.voice.sessions.find(b"old") is None


class TestBargeIn:
    def talking(self, **fields):
        rig = VoiceRig(barge_in={"mode": "pause", "min_speech_ms": 150, "window_ms": 700, "guard_ms": 300, **fields})
        rig.hello()
        rig.ear_health()
        rig.step(100)
        rig.speak(ms=3000)
        rig.step(1000)
        return rig

    def start(self, rig, at_ns, utterance=1):
        rig.hear(ear_bus.UserStarted(utterance=utterance, at_ns=at_ns, confidence=1.0))

    def actions(self, rig):
        rig.voice.barge_in.step(rig.clock.now_ns())
        return [message.action for message in rig.got(wire.BargeIn)]

    def test_it_pauses_after_the_least_speech_and_decides_after_its_window(self):
        rig = self.talking(default="resume")
        began_ns = rig.clock.now_ns() - 50 * NS_PER_MS
        self.start(rig, began_ns)
        assert at(rig, began_ns + 150 * NS_PER_MS, lambda: self.actions(rig)) == (["ducked"], ["ducked", "paused"])
        until_ns = rig.clock.now_ns() + 700 * NS_PER_MS
        assert rig.voice.barge_in.due_ns == until_ns
        rig.ear_health()
        before, after = at(rig, until_ns, lambda: self.actions(rig))
        assert (before[2:], after[2:]) == ([], ["resumed"])
        assert rig.voice.barge_in.due_ns > rig.clock.now_ns() + 10**15

    @pytest.mark.parametrize(("lasted_ns", "resumed"), [(149_999_999, True), (150_000_000, False)])
    def test_a_sound_that_was_shorter_is_no_speech(self, lasted_ns, resumed):
        rig = self.talking()
        began_ns = rig.clock.now_ns() - 200 * NS_PER_MS
        self.start(rig, began_ns)
        stopped = ear_bus.UserStopped(utterance=1, at_ns=began_ns + lasted_ns, started_ns=began_ns, confidence=1.0)
        rig.hear(stopped)
        assert self.actions(rig) == ["ducked", "paused", *["resumed"] * resumed]

    @pytest.mark.parametrize(("into_ns", "begins"), [(299_000_000, False), (301_000_000, True)])
    def test_the_opening_of_a_turn_is_guarded(self, into_ns, begins):
        rig = self.talking()
        opened_ns = rig.playback.spoken_at(rig.clock.now_ns(), 300).since_ns
        self.start(rig, opened_ns + into_ns)
        assert bool(self.actions(rig)) is begins

    def test_a_stop_of_another_utterance_is_none(self):
        rig = self.talking()
        now_ns = rig.clock.now_ns()
        self.start(rig, now_ns, utterance=2)
        rig.voice.barge_in.stopped(1, now_ns, now_ns)
        assert self.actions(rig) == ["ducked"]
        rig.voice.barge_in.stopped(2, now_ns, now_ns)
        assert self.actions(rig) == ["ducked", "resumed"]


def test_the_queue_takes_what_fits_to_the_last_frame():
    rig = VoiceRig(voice=VoiceConfig(max_buffer_ms=1000, max_turn_ms=1000, max_turns=2))
    rig.hello()
    rig.say(wire.Pause())
    rig.audio(seq=0, pcm=tone(500))
    rig.audio(seq=1, pcm=np.zeros(8001, np.int16))
    assert rig.errors() == ["turn_too_long"]
    rig.audio(seq=1, pcm=np.zeros(8000, np.int16))
    rig.audio("u", 0, pcm=np.zeros(1, np.int16))
    assert rig.errors() == ["turn_too_long", "buffer_full"]
    rig.say(wire.End(turn="u"))
    assert rig.errors()[2:] == ["unknown_turn"]
    rig.say(wire.End(turn="v"))
    rig.say(wire.End(turn="w"))
    assert rig.errors()[3:] == ["too_many_turns"]
