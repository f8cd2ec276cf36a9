"""A client that crashes and comes back takes its own place again, and one that says goodbye leaves at once."""

import pytest

from mien.config import VoiceConfig
from mien.core import wire
from mien.voice.orphans import KEPT_NS, SESSIONS_KEPT
from mien.voice.roles import allowed_roles
from rigs.voice_rig import VoiceRig

OLD, NEW, EYE = b"old", b"new", b"eye"


@pytest.fixture
def rig():
    rig = VoiceRig()
    rig.hello(client=OLD)
    return rig


def crash_in_speech(rig, ms=30_000, heard_ms=200):
    words = (wire.Word("one", 0, 80), wire.Word("two", 80, 400))
    rig.say(wire.Caption(turn="turn-1", words=words), client=OLD)
    rig.speak("turn-1", ms=ms, client=OLD)
    rig.speak("turn-2", ms=100, client=OLD, end=False)
    rig.step(heard_ms)
    rig.voice.left(OLD)


def replaced(rig, client=NEW):
    return [(turn.turn, turn.played_ms, turn.reason) for turn in rig.got(wire.Welcome, client)[-1].replaced]


class TestRestart:
    def test_takes_its_floor_back_at_once_and_learns_what_was_heard(self, rig):
        crash_in_speech(rig)
        rig.hello(client=NEW)
        rig.speak("turn-1", ms=100, client=NEW)
        first, second = rig.got(wire.Welcome, NEW)[0].replaced
        assert (first.turn, first.reason, first.words_heard, first.last_word) == ("turn-1", "client_gone", 1, "one")
        assert first.interrupted
        assert 100 <= first.played_ms <= 200
        assert (second.turn, second.played_ms, second.reason) == ("turn-2", 0.0, "client_gone")
        assert rig.errors(NEW) == []
        rig.step(300)
        assert [(m.turn, m.played_ms, m.reason) for m in rig.got(wire.Finished, NEW)] == [("turn-1", 100.0, "played")]
        assert [(m.reason, m.interrupted) for m in rig.got(wire.Finished, OLD)] == [("client_gone", True)] * 2
        assert rig.counters["turns_client_gone"] == 2

    def test_what_is_told_is_what_was_heard_but_for_what_is_under_way(self, rig):
        crash_in_speech(rig)
        rig.hello(client=NEW)
        told_ms = rig.got(wire.Welcome, NEW)[0].replaced[0].played_ms
        rig.step(200)
        heard_ms = next(m.played_ms for m in rig.got(wire.Finished, OLD) if m.turn == "turn-1")
        assert 0 <= heard_ms - told_ms <= rig.config.buffer_ms + rig.config.fade_ms

    def test_observers_are_told_whose_the_turn_was(self, rig):
        rig.hello(client=EYE, role="observer")
        rig.say(wire.Subscribe(topics=("state",)), client=EYE)
        crash_in_speech(rig)
        rig.step(50)
        assert rig.got(wire.Status, EYE)[-1].client == "client"
        rig.hello(client=NEW)
        rig.step(100)
        assert [(m.client, m.reason) for m in rig.got(wire.Outcome, EYE)] == [("client", "client_gone")] * 2

    def test_is_told_of_turns_that_ended_meanwhile(self, rig):
        crash_in_speech(rig, ms=300)
        rig.step(1000)
        rig.hello(client=NEW)
        assert replaced(rig) == [("turn-1", 300.0, "played"), ("turn-2", 100.0, "client_gone")]
        assert [turn.interrupted for turn in rig.got(wire.Welcome, NEW)[0].replaced] == [False, False]
        rig.hello(client=b"newer")
        assert replaced(rig, b"newer") == []

    def test_comes_also_while_an_agent_holds_the_floor(self, rig):
        rig.hello(client=b"ada", role="agent")
        rig.speak("one", ms=1000, client=OLD)
        rig.speak("two", ms=1000, client=OLD)
        rig.step(100)
        rig.say(wire.TakeFloor(queue="hold"), client=b"ada")
        rig.voice.left(OLD)
        rig.step(100)
        rig.hello(client=NEW)
        assert [turn for turn, _, _ in replaced(rig)] == ["one", "two"]
        rig.say(wire.ReleaseFloor(), client=b"ada")
        rig.step(500)
        assert not rig.queue.turns

    def test_of_an_agent_may_take_the_floor_that_it_had(self, rig):
        rig.hello(client=b"ada", role="agent")
        rig.say(wire.TakeFloor(), client=b"ada")
        rig.speak("mine", ms=5000, client=b"ada")
        rig.step(100)
        rig.voice.left(b"ada")
        rig.hello(client=b"ada2", role="agent")
        rig.say(wire.TakeFloor(), client=b"ada2")
        rig.speak("mine", ms=100, client=b"ada2")
        rig.step(300)
        assert rig.errors(b"ada2") == []
        assert rig.got(wire.Finished, b"ada2")[0].reason == "played"

    @pytest.mark.parametrize(
        ("fields", "allowed"),
        [
            ({"client": "another"}, "speaker/bot"),
            ({"role": "agent"}, "agent/bot"),
            ({}, "speaker/other"),
            ({}, ""),
        ],
        ids=["name", "role", "key", "no key"],
    )
    def test_of_somebody_else_waits_its_turn(self, fields, allowed):
        rig = VoiceRig()
        rig.allowed = {OLD: allowed_roles("speaker/bot"), NEW: allowed_roles(allowed)}
        rig.hello(client=OLD)
        crash_in_speech(rig)
        rig.say(wire.Hello(protocol=1, **fields), client=NEW)
        rig.audio("mine", client=NEW)
        assert replaced(rig) == []
        assert rig.errors(NEW) == ["floor_taken"]

    def test_does_not_disturb_a_living_client_of_the_same_name(self, rig):
        rig.speak("turn-1", ms=400, client=OLD)
        rig.step(100)
        rig.hello(client=NEW)
        rig.audio("mine", client=NEW)
        assert replaced(rig) == []
        assert rig.errors(NEW) == ["floor_taken"]
        rig.step(600)
        assert [(m.played_ms, m.reason) for m in rig.got(wire.Finished, OLD)] == [(400.0, "played")]
        assert len(rig.voice.sessions) == 2

    def test_within_the_same_connection_replaces_nothing(self, rig):
        crash_in_speech(rig)
        rig.hello(client=EYE, role="observer")
        rig.hello(client=EYE)
        assert replaced(rig, EYE) == []
        rig.audio("mine", client=EYE)
        assert rig.errors(EYE) == ["floor_taken"]

    def test_names_of_the_old_session_are_free_again(self, rig):
        rig.speak("t", ms=60, client=OLD)
        rig.step(300)
        rig.speak("u", ms=5000, client=OLD)
        rig.voice.left(OLD)
        rig.hello(client=NEW)
        for name in ("t", "u"):
            rig.speak(name, ms=40, client=NEW)
        rig.step(300)
        assert [m.turn for m in rig.got(wire.Finished, NEW)] == ["t", "u"]

    def test_on_the_old_address_is_one_too(self, rig):
        crash_in_speech(rig)
        rig.sent.clear()
        rig.hello(client=OLD)
        assert [turn for turn, _, _ in replaced(rig, OLD)] == ["turn-1", "turn-2"]
        rig.speak("turn-1", ms=100, client=OLD)
        rig.step(400)
        assert [(m.turn, m.reason) for m in rig.got(wire.Finished, OLD)] == [("turn-1", "played")]

    def test_a_thousand_crashes_leave_nothing_behind(self, rig):
        for number in range(1000):
            name = b"c%d" % number
            rig.say(wire.Hello(protocol=1, client=f"c{number}"), client=name)
            rig.speak("t", ms=20, client=name)
            rig.voice.left(name)
            rig.step(60)
        assert len(rig.voice.orphans) == SESSIONS_KEPT
        assert rig.errors(name) == []
        rig.step(KEPT_NS / 1e6 + 2000)
        assert len(rig.voice.orphans) == 0
        assert not rig.queue.turns


class TestReplaces:
    """hello.replaces: the voice may not know yet that a connection is gone, or it hangs."""

    def session(self, rig, client=OLD):
        return rig.got(wire.Welcome, client)[-1].session

    def test_ends_the_session_that_it_names(self, rig):
        rig.speak("turn-1", ms=5000, client=OLD)
        rig.step(200)
        rig.hello(client=NEW, replaces=self.session(rig))
        rig.audio("mine", client=NEW)
        rig.step(50)
        error = rig.got(wire.Error, OLD)[0]
        assert (error.code, error.retryable) == ("replaced", False)
        assert [(m.turn, m.reason) for m in rig.got(wire.Finished, OLD)] == [("turn-1", "client_gone")]
        assert [turn for turn, _, _ in replaced(rig)] == ["turn-1"]
        assert rig.errors(NEW) == []
        rig.say(wire.Ping(), client=OLD)
        assert rig.errors(OLD) == ["replaced", "no_hello"]
        assert rig.counters["clients_replaced"] == 1

    def test_ends_it_where_every_place_is_taken(self):
        rig = VoiceRig(voice=VoiceConfig(max_clients=1))
        rig.hello(client=OLD)
        rig.hello(client=NEW, replaces=self.session(rig))
        assert rig.got(wire.Welcome, NEW)

    def test_may_name_one_that_is_gone_whatever_its_name_and_role(self, rig):
        crash_in_speech(rig)
        rig.hello(client=NEW, role="agent", replaces=self.session(rig))
        assert len(replaced(rig)) == 2

    @pytest.mark.parametrize("allowed", ["speaker/other", ""])
    def test_does_not_touch_the_session_of_another_key(self, allowed):
        rig = VoiceRig()
        rig.allowed = {OLD: allowed_roles("speaker/bot"), NEW: allowed_roles(allowed)}
        rig.hello(client=OLD)
        rig.speak("turn-1", ms=300, client=OLD)
        rig.hello(client=NEW, replaces=self.session(rig))
        assert rig.errors(OLD) == []
        rig.step(500)
        assert rig.got(wire.Finished, OLD)[0].reason == "played"

    def test_of_nobody_or_of_itself_changes_nothing(self, rig):
        rig.hello(client=OLD, replaces=self.session(rig))
        rig.hello(client=NEW, replaces="1-1")
        assert rig.errors(OLD) == rig.errors(NEW) == []
        assert len(rig.voice.sessions) == 2

    def test_that_is_refused_ends_nothing(self, rig):
        rig.hello(client=NEW, rate_hz=1, replaces=self.session(rig))
        assert rig.errors(OLD) == []
        assert len(rig.voice.sessions) == 1

    def test_gives_an_agents_floor_to_its_restart(self, rig):
        rig.hello(client=b"ada", role="agent")
        rig.say(wire.TakeFloor(), client=b"ada")
        rig.hello(client=b"ada2", role="agent", replaces=self.session(rig, b"ada"))
        rig.say(wire.TakeFloor(), client=b"ada2")
        assert rig.errors(b"ada2") == []
        assert rig.voice.floor.holder == b"ada2"


class TestBye:
    def test_is_listed_and_answered(self, rig):
        assert {"bye", "replaces"} <= set(rig.got(wire.Welcome, OLD)[0].capabilities)
        rig.say(wire.Bye(), client=OLD)
        assert rig.got(wire.Bye, OLD) == [wire.Bye()]
        assert len(rig.voice.sessions) == 0
        rig.say(wire.Ping(), client=OLD)
        assert rig.errors(OLD) == ["no_hello"]

    def test_lets_what_was_sent_be_heard_also_past_a_client_of_the_same_name(self, rig):
        rig.speak("t", ms=400, client=OLD, end=False)
        rig.step(100)
        rig.say(wire.Bye(), client=OLD)
        rig.hello(client=NEW)
        rig.audio("mine", client=NEW)
        assert replaced(rig) == []
        assert rig.errors(NEW) == ["floor_taken"]
        rig.step(600)
        assert [(m.played_ms, m.reason) for m in rig.got(wire.Finished, OLD)] == [(400.0, "client_gone")]

    def test_gives_the_floor_back_once_the_agent_was_heard(self, rig):
        rig.hello(client=b"ada", role="agent")
        rig.say(wire.TakeFloor(), client=b"ada")
        rig.speak("t", ms=4000, client=b"ada")
        rig.say(wire.Bye(), client=b"ada")
        rig.step(3900)
        assert rig.voice.floor.holder == b"ada"
        rig.step(300)
        assert [(m.holder, m.why) for m in rig.got(wire.Floor, OLD)] == [("client", "taken"), ("", "released")]
        assert rig.got(wire.Finished, b"ada")[0].reason == "played"

    def test_a_hundred_in_a_row_find_a_place(self):
        rig = VoiceRig(voice=VoiceConfig(max_clients=1))
        for _ in range(100):
            rig.hello()
            rig.say(wire.Bye())
        assert rig.errors() == []
        assert rig.counters["clients_gone"] == 100
        assert rig.counters["clients_gave_way"] == 0

    def test_does_not_renew_the_allowance(self):
        rig = VoiceRig(voice=VoiceConfig(max_messages_per_s=100))
        for _ in range(200):
            rig.hello()
            rig.say(wire.Bye())
        assert len(rig.got(wire.Welcome)) == 100

    def test_may_be_said_by_an_observer_and_not_without_hello(self, rig):
        rig.hello(client=EYE, role="observer")
        rig.say(wire.Bye(), client=EYE)
        rig.say(wire.Bye(), client=b"stranger")
        assert rig.got(wire.Bye, EYE)
        assert rig.errors(b"stranger") == ["no_hello"]


def test_the_newest_turns_are_told_where_there_were_more_than_a_welcome_holds():
    rig = VoiceRig(voice=VoiceConfig(max_turns=100))
    rig.hello(client=OLD)
    for number in range(100):
        rig.audio(f"t{number}", client=OLD)
    rig.voice.left(OLD)
    rig.hello(client=NEW)
    assert [turn for turn, _, _ in replaced(rig)] == [f"t{number}" for number in range(36, 100)]


def test_of_a_long_queue_that_was_heard_out_the_first_turns_are_remembered():
    rig = VoiceRig(voice=VoiceConfig(max_turns=100))
    rig.hello(client=OLD)
    for number in range(70):
        rig.speak(f"t{number}", ms=20, client=OLD)
    rig.voice.left(OLD)
    rig.step(70 * 20 + 300)
    assert not rig.queue.turns
    rig.hello(client=NEW)
    assert [turn for turn, _, _ in replaced(rig)] == [f"t{number}" for number in range(64)]


def test_a_hello_that_finds_no_place_takes_nothing_from_the_turns_left_under_its_address():
    rig = VoiceRig(voice=VoiceConfig(max_clients=1))
    rig.hello(client=OLD)
    rig.speak("t", ms=300, client=OLD)
    rig.voice.left(OLD)
    rig.hello(client=EYE, role="observer")
    rig.say(wire.Subscribe(topics=("state",)), client=EYE)
    rig.step(10)
    rig.hello(client=OLD)
    assert rig.errors(OLD) == ["too_many_clients"]
    rig.step(600)
    assert [(message.turn, message.reason) for message in rig.got(wire.Finished, OLD)] == [("t", "played")]
