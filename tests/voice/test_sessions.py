"""Whose a session is: it belongs to the principal that opened it, and an address inherits nothing."""

import pytest

from mien.core import wire
from mien.voice.roles import AllowedRoles, allowed_roles
from rigs.voice_rig import VoiceRig

X, BOT, EYE = b"x", b"bot", b"eye"
ADA, EVE, BEN = allowed_roles("agent/ada"), allowed_roles("observer/eve"), allowed_roles("agent/ben")


@pytest.fixture
def rig():
    rig = VoiceRig()
    rig.hello(client=BOT)
    rig.allowed[X] = ADA
    rig.say(wire.Hello(protocol=1, client="Ada", role="agent"), client=X)
    rig.sent.clear()
    return rig


def holders(rig, client=BOT):
    return [(message.holder, message.why) for message in rig.got(wire.Floor, client)]


class TestAnotherPrincipalOnTheSameAddress:
    @pytest.mark.parametrize("other", [EVE, BEN], ids=["observer", "agent"])
    @pytest.mark.parametrize("message", [wire.TakeFloor(), wire.Subscribe(), wire.Ping(), wire.Interrupt()], ids=repr)
    def test_finds_no_session(self, rig, message, other):
        rig.allowed[X] = other
        rig.say(message, client=X)
        assert rig.errors(X) == ["no_hello"]
        assert "session was closed" in rig.got(wire.Error, X)[0].message
        assert len(rig.voice.sessions) == 1
        assert rig.voice.floor.holder is None
        assert rig.counters["sessions_of_another_principal"] == 1

    def test_and_the_old_session_does_not_come_back(self, rig):
        rig.allowed[X] = EVE
        rig.say(wire.Ping(), client=X)
        rig.allowed[X] = ADA
        rig.say(wire.TakeFloor(), client=X)
        assert rig.errors(X) == ["no_hello", "no_hello"]

    def test_may_open_its_own_and_gets_its_own_rights(self, rig):
        rig.say(wire.Subscribe(topics=("levels",)), client=X)
        rig.allowed[X] = EVE
        rig.say(wire.Hello(protocol=1, client="Eve", role="agent"), client=X)
        rig.say(wire.Hello(protocol=1, client="Eve", role="observer"), client=X)
        rig.say(wire.TakeFloor(), client=X)
        assert rig.errors(X) == ["not_allowed", "not_allowed"]
        assert rig.voice.sessions.find(X).principal == "observer/eve"
        assert not rig.playback.level_meter.on

    def test_does_not_get_the_floor(self, rig):
        rig.say(wire.TakeFloor(), client=X)
        rig.allowed[X] = BEN
        rig.hello(client=X, role="agent")
        rig.audio("mine", client=X)
        rig.say(wire.Pause(), client=X)
        rig.say(wire.ReleaseFloor(), client=X)
        assert rig.errors(X) == ["floor_taken", "floor_taken", "floor_not_held"]
        rig.step(rig.voice_config.floor_vanish_timeout_ms + 100)
        assert holders(rig) == [("Ada", "taken"), ("", "vanished")]
        assert not rig.playback.paused

    def test_does_not_keep_the_floor_alive_for_who_is_gone(self, rig):
        rig.say(wire.TakeFloor(), client=X)
        rig.voice.left(X)
        rig.allowed[X] = EVE
        for _ in range(10):
            rig.say(wire.Ping(), client=X)
            rig.step(rig.voice_config.floor_vanish_timeout_ms / 5)
        assert holders(rig)[-1] == ("", "vanished")

    def test_does_not_command_the_turns_that_are_left(self, rig):
        rig.speak("secret", ms=300, client=X)
        rig.allowed[X] = BEN
        rig.hello(client=X, role="agent")
        rig.say(wire.Interrupt(), client=X)
        rig.say(wire.Interrupt(turn="secret"), client=X)
        assert [message.turns for message in rig.got(wire.Interrupted, X)] == [()]
        assert rig.errors(X) == ["unknown_turn"]
        rig.sent.clear()
        rig.step(600)
        assert rig.got(wire.Finished, X) == []
        assert rig.got(wire.Progress, X) == []
        assert rig.counters["turns_played"] == 1

    def test_whoever_speaks_next_waits_for_the_turn_that_is_left(self, rig):
        rig.speak("secret", ms=300, client=X)
        rig.allowed[X] = BEN
        rig.hello(client=X, role="agent")
        rig.audio("mine", client=X)
        assert rig.errors(X) == ["floor_taken"]
        rig.step(600)
        rig.speak("mine", ms=100, client=X)
        rig.step(300)
        assert [message.played_ms for message in rig.got(wire.Finished, X)] == [100.0]


def test_a_session_does_not_outlive_its_role():
    rig = VoiceRig()
    rig.allowed[X] = AllowedRoles("ada", frozenset({"agent"}))
    rig.hello(client=X, role="agent")
    rig.allowed[X] = AllowedRoles("ada", frozenset({"observer"}))
    rig.say(wire.TakeFloor(), client=X)
    rig.hello(client=X, role="agent")
    assert rig.errors(X) == ["no_hello", "not_allowed"]


def test_who_turns_observer_gives_the_floor_back(rig):
    rig.say(wire.TakeFloor(), client=X)
    rig.say(wire.Hello(protocol=1, client="Ada", role="observer"), client=X)
    rig.step(10)
    assert holders(rig) == [("Ada", "taken"), ("", "released")]


class TestHelloAgain:
    def test_changes_name_and_role_also_where_every_place_is_taken(self):
        rig = VoiceRig(voice=type(VoiceRig().voice_config)(max_clients=1, max_clients_each=1))
        rig.hello()
        rig.hello(client=b"a", role="observer")
        assert rig.errors() == []
        assert [session.role for session in rig.voice.sessions.all()] == ["observer"]
        assert len({message.session for message in rig.got(wire.Welcome)}) == 2

    def test_is_refused_in_the_middle_of_a_turn_and_changes_nothing(self):
        rig = VoiceRig()
        rig.hello(rate_hz=16000)
        rig.audio("t")
        rig.hello(rate_hz=48000, role="observer")
        error = rig.got(wire.Error)[0]
        assert (error.code, error.message) == ("malformed", "hello came in the middle of a turn; end the turn first")
        rig.audio("t", seq=1)
        rig.say(wire.End(turn="t"))
        rig.step(300)
        assert rig.got(wire.Finished)[0].played_ms == 40.0
        assert len(rig.got(wire.Welcome)) == 1

    def test_is_taken_behind_a_turn_that_was_ended(self):
        rig = VoiceRig()
        rig.hello()
        rig.speak("t", ms=100)
        rig.hello(rate_hz=48000)
        rig.step(300)
        assert rig.errors() == []
        assert rig.got(wire.Finished)[0].played_ms == 100.0
        assert rig.got(wire.Finished)[0].reason == "played"

    def test_ends_its_subscriptions_and_the_meter_with_them(self):
        rig = VoiceRig()
        rig.hello(role="observer")
        rig.say(wire.Subscribe(topics=("levels",)))
        rig.say(wire.GetThumbnail())
        assert rig.playback.level_meter.on
        rig.hello(role="observer")
        assert not rig.playback.level_meter.on
        rig.sent.clear()
        rig.step(3000)
        assert rig.sent == []
