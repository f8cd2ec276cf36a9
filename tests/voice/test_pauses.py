"""A pause is its client's, it has a bound, and whoever is paused is told when it ends without them."""

import pytest

from mien.config import VoiceConfig
from mien.core import wire
from rigs.voice_rig import VoiceRig

A, B, ADA, EYE = b"a", b"b", b"ada", b"eye"
LIMIT_MS = 2000


@pytest.fixture
def rig():
    rig = VoiceRig(voice=VoiceConfig(max_pause_ms=LIMIT_MS))
    for client in (A, B):
        rig.hello(client=client)
    rig.hello(client=ADA, role="agent")
    rig.hello(client=EYE, role="observer")
    rig.step(20)
    rig.speak("t", ms=400)
    rig.step(100)
    return rig


def why(rig, client):
    return [message.why for message in rig.got(wire.Resumed, client)]


def heard(rig):
    return [(message.turn, message.played_ms, message.reason) for message in rig.got(wire.Finished)]


class TestBound:
    def test_is_told_before_and_after_and_the_turn_goes_on(self, rig):
        assert rig.got(wire.Welcome)[0].limits.max_pause_ms == LIMIT_MS
        rig.say(wire.Pause())
        rig.step(LIMIT_MS - 10)
        assert rig.playback.paused
        assert why(rig, A) == []
        rig.step(20)
        assert why(rig, A) == ["pause_timeout"]
        rig.step(500)
        assert heard(rig) == [("t", 400.0, "played")]
        assert why(rig, B) == []

    def test_is_not_moved_by_asking_again(self, rig):
        for _ in range(10):
            rig.say(wire.Pause())
            rig.step(LIMIT_MS / 10)
        rig.step(10)
        assert why(rig, A) == ["pause_timeout"]
        assert not rig.playback.paused

    def test_is_each_clients_own(self, rig):
        rig.say(wire.Pause())
        rig.step(LIMIT_MS / 2)
        rig.say(wire.Pause(), client=B)
        rig.step(LIMIT_MS / 2 + 10)
        assert (why(rig, A), why(rig, B)) == (["pause_timeout"], [])
        assert rig.playback.paused
        rig.step(LIMIT_MS / 2 + 10)
        assert why(rig, B) == ["pause_timeout"]

    def test_holds_for_a_hung_client_that_waits_for_nothing(self, rig):
        rig.say(wire.Pause(), client=B)
        rig.step(LIMIT_MS + 500)
        assert heard(rig) == [("t", 400.0, "played")]


class TestWhoEndsIt:
    def test_whoever_may_steer_and_the_others_are_told(self, rig):
        rig.say(wire.Pause())
        rig.say(wire.Pause(), client=ADA)
        rig.say(wire.Resume(), client=B)
        assert not rig.playback.paused
        assert (why(rig, A), why(rig, ADA), why(rig, B)) == (["other_client"], ["other_client"], [])

    def test_its_own_client_without_a_word(self, rig):
        rig.say(wire.Pause())
        rig.say(wire.Resume())
        assert not rig.playback.paused
        assert why(rig, A) == []

    def test_not_an_observer(self, rig):
        rig.say(wire.Pause())
        rig.say(wire.Resume(), client=EYE)
        assert rig.errors(EYE) == ["not_allowed"]
        assert rig.playback.paused

    def test_not_a_speaker_while_an_agent_holds_the_floor(self, rig):
        rig.say(wire.TakeFloor(), client=ADA)
        rig.say(wire.Pause(), client=ADA)
        rig.say(wire.Resume(), client=A)
        assert rig.errors(A) == ["floor_taken"]
        assert rig.playback.paused

    def test_an_interrupt_of_its_own_client(self, rig):
        rig.say(wire.Pause())
        rig.say(wire.Interrupt())
        assert not rig.playback.paused

    def test_not_anybody_elses_interrupt(self, rig):
        rig.say(wire.Pause())
        rig.step(50)
        rig.say(wire.Interrupt(), client=B)
        rig.step(500)
        assert rig.playback.paused
        assert heard(rig) == []
        assert why(rig, A) == []

    def test_the_end_of_its_session_and_no_other(self, rig):
        rig.say(wire.Pause())
        rig.say(wire.Pause(), client=B)
        rig.voice.left(B)
        assert rig.playback.paused
        rig.voice.left(A)
        assert not rig.playback.paused

    def test_bye_and_a_new_role(self, rig):
        rig.say(wire.Pause(), client=B)
        rig.say(wire.Bye(), client=B)
        assert not rig.playback.paused
        rig.say(wire.Pause(), client=ADA)
        rig.hello(client=ADA, role="observer")
        assert not rig.playback.paused

    def test_a_takeover_and_its_client_is_told(self, rig):
        rig.say(wire.Pause())
        rig.say(wire.Pause(), client=ADA)
        rig.say(wire.TakeFloor(), client=ADA)
        assert (why(rig, A), why(rig, ADA)) == (["taken_over"], [])
        assert not rig.playback.paused

    def test_the_release_of_the_floor_by_the_agent_that_paused(self, rig):
        rig.speak("u", ms=100)
        rig.say(wire.TakeFloor(queue="hold"), client=ADA)
        rig.say(wire.Pause(), client=ADA)
        rig.say(wire.ReleaseFloor(), client=ADA)
        rig.step(400)
        assert not rig.playback.paused
        assert heard(rig)[-1] == ("u", 100.0, "played")


class TestInterruptInAPause:
    @pytest.mark.parametrize("pauser", [A, B])
    @pytest.mark.parametrize("between_ms", [0, 5, 100])
    def test_finished_does_not_wait_for_resume(self, rig, pauser, between_ms):
        rig.say(wire.Pause(), client=pauser)
        if between_ms:
            rig.step(between_ms)
        rig.say(wire.Interrupt())
        rig.step(100)
        ((turn, played_ms, reason),) = heard(rig)
        assert (turn, reason) == ("t", "interrupted")
        assert played_ms < 200
        assert rig.playback.paused == (pauser == B)

    def test_and_what_comes_behind_waits_for_it(self, rig):
        rig.say(wire.Pause(), client=B)
        rig.say(wire.Interrupt())
        rig.speak("u", ms=100)
        rig.step(500)
        assert [turn for turn, _, _ in heard(rig)] == ["t"]
        rig.say(wire.Resume(), client=B)
        rig.step(300)
        assert heard(rig)[-1] == ("u", 100.0, "played")

    def test_a_takeover_finishes_what_was_paused(self, rig):
        rig.say(wire.Pause())
        rig.say(wire.TakeFloor(), client=ADA)
        rig.say(wire.Pause(), client=ADA)
        rig.step(100)
        assert [reason for _, _, reason in heard(rig)] == ["taken_over"]
