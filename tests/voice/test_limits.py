"""A flood from one client is refused, told of sparingly, and touches nobody else."""

import numpy as np
import pytest

from mien.config import VoiceConfig
from mien.core import wire
from mien.units import NS_PER_S
from mien.voice.limits import BURST_S, RateLimits
from mien.voice.roles import allowed_roles
from rigs.voice_rig import VoiceRig, tone


def test_messages_beyond_the_rate_are_refused_and_sparingly_told():
    rig = VoiceRig(voice=VoiceConfig(max_messages_per_s=100))
    rig.hello()
    for number in range(1000):
        rig.say(wire.Ping(nonce=number))
    assert len(rig.got(wire.Pong)) == 199
    assert 1 <= rig.errors().count("rate_limited") <= 10
    assert rig.counters["messages_over_limit"] == 801
    rig.step(1000)
    rig.sent.clear()
    rig.say(wire.Ping(nonce=7))
    assert [m.nonce for m in rig.got(wire.Pong)] == [7]


def test_bytes_beyond_the_rate_are_refused_with_turn_and_number():
    rig = VoiceRig(voice=VoiceConfig(max_kb_per_s=50))
    rig.hello()
    for seq in range(3):
        rig.audio("t", seq, tone(1500))
    error = rig.got(wire.Error)[0]
    assert (error.code, error.turn, error.seq, error.retryable) == ("rate_limited", "t", 2, True)
    rig.step(1000)
    rig.audio("t", 2, tone(1500))
    assert len(rig.errors()) == 1


def test_a_flood_leaves_another_clients_audio_whole():
    rig = VoiceRig(voice=VoiceConfig(max_messages_per_s=200))
    rig.hello(client=b"good")
    rig.hello(client=b"bad")
    rig.step(50)
    speech = tone(1000)
    for seq in range(50):
        rig.audio("t", seq, speech[320 * seq : 320 * (seq + 1)], client=b"good")
        for number in range(100):
            rig.audio(f"bad-{number}", client=b"bad")
            rig.voice.handle(b"bad", [b"\xff" * 100, b"\x00"])
        rig.step(20)
    rig.say(wire.End(turn="t"), client=b"good")
    rig.step(200)
    assert rig.got(wire.Finished, b"good")[0].played_ms == 1000.0
    assert rig.errors(b"good") == []
    assert set(rig.held_back) == {b"bad"}
    assert len(rig.held_back) == rig.counters["messages_over_limit"]
    heard = np.trim_zeros(rig.sink.pcm)
    assert np.array_equal(heard[: len(speech) - 1], speech[1:])


def test_an_allowance_goes_with_its_client():
    limits = RateLimits(VoiceConfig())
    for client in (b"a", b"b"):
        assert limits.take(client, 100, 0)
    limits.leave(b"a")
    assert len(limits) == 1
    limits.leave(b"stranger")
    rig = VoiceRig()
    rig.hello()
    rig.voice.left(b"a")
    assert len(rig.handler.limits) == 0


def test_allowances_are_forgotten_once_they_are_whole():
    limits = RateLimits(VoiceConfig())
    for number in range(10_000):
        assert limits.take(b"%d" % number, 100, 0)
    limits.sweep(round(BURST_S * NS_PER_S))
    assert len(limits) == 0


def test_what_is_not_used_is_not_saved_up_beyond_two_seconds():
    rig = VoiceRig(voice=VoiceConfig(max_messages_per_s=100))
    rig.hello()
    rig.step(100_000)
    for number in range(5000):
        rig.say(wire.Ping(nonce=number))
    assert len(rig.got(wire.Pong)) == 200
    assert rig.counters["messages_over_limit"] == 4800


def test_nor_between_two_sweeps():
    limits = RateLimits(VoiceConfig(max_messages_per_s=10, max_kb_per_s=1000))
    assert limits.take(b"a", 1, 0)
    assert sum(limits.take(b"a", 1, 100 * NS_PER_S) for _ in range(100)) == 20
    assert sum(limits.may_tell(b"a", at_s * NS_PER_S) for at_s in (0, 100) for _ in range(100)) == 20


def test_the_rate_is_what_comes_back_each_second():
    rig = VoiceRig(voice=VoiceConfig(max_messages_per_s=100))
    rig.hello()
    for _ in range(500):
        rig.say(wire.Ping())
    for seconds in (0.5, 1.0):
        rig.step(seconds * 1000)
        rig.sent.clear()
        for _ in range(500):
            rig.say(wire.Ping())
        assert len(rig.got(wire.Pong)) == 100 * seconds


@pytest.mark.parametrize(("size", "taken"), [(19_000, True), (21_000, False)])
def test_a_kilobyte_is_a_thousand_bytes_and_both_frames_count(size, taken):
    limits = RateLimits(VoiceConfig(max_kb_per_s=10))
    assert limits.take(b"a", size, 0) is taken
    rig = VoiceRig(voice=VoiceConfig(max_kb_per_s=10))
    rig.hello()
    rig.audio("t", pcm=np.zeros(size // 2 - 500, np.int16))
    assert (rig.errors() == []) is taken


@pytest.mark.parametrize("spent", ["messages", "size", "errors"])
def test_an_allowance_is_kept_until_all_of_it_is_whole(spent):
    limits = RateLimits(VoiceConfig(max_messages_per_s=10, max_kb_per_s=1))
    if spent == "errors":
        while limits.may_tell(b"a", 0):
            pass
    else:
        for _ in range(20 if spent == "messages" else 1):
            assert limits.take(b"a", 2000 if spent == "size" else 0, 0)
    limits.sweep(NS_PER_S)  # half of it has come back
    assert len(limits) == 1
    limits.sweep(2 * NS_PER_S)
    assert len(limits) == 0


def test_a_sweep_does_not_renew_what_was_spent():
    limits = RateLimits(VoiceConfig(max_messages_per_s=10))
    taken = sum(limits.take(b"a", 1, 0) for _ in range(100))
    limits.sweep(NS_PER_S)
    taken += sum(limits.take(b"a", 1, NS_PER_S) for _ in range(100))
    assert taken == 30


def test_refusals_are_told_five_times_a_second_and_ten_at_once():
    rig = VoiceRig(voice=VoiceConfig(max_messages_per_s=10))
    rig.hello()
    for _ in range(1000):
        rig.say(wire.Ping())
    assert rig.errors() == ["rate_limited"] * 10
    rig.step(1000)
    for _ in range(1000):
        rig.say(wire.Ping())
    assert rig.errors() == ["rate_limited"] * 15


def test_one_key_cannot_take_every_place():
    rig = VoiceRig(voice=VoiceConfig(max_clients=4, max_clients_each=2))
    for number in range(3):
        rig.allowed[b"x%d" % number] = allowed_roles("agent/ada")
        rig.hello(client=b"x%d" % number)
    assert rig.errors(b"x2") == ["too_many_clients"]
    rig.hello(client=b"local")
    assert rig.got(wire.Welcome, b"local")


class TestGivingWay:
    """Where every place is taken, a session that has no part in the conversation makes room."""

    EACH = VoiceConfig().max_clients_each

    def full(self, **options):
        rig = VoiceRig(**options)
        for number in range(self.EACH):
            rig.hello(client=b"c%d" % number)
            rig.step(10)
        return rig

    def gone(self, rig):
        return [number for number in range(self.EACH) if "gave_way" in rig.errors(b"c%d" % number)]

    def test_eight_silent_sessions_do_not_lock_the_voice_stack_out(self):
        rig = self.full()
        rig.step(500)
        rig.hello(client=b"stack")
        rig.speak("t", ms=100, client=b"stack")
        rig.step(300)
        assert rig.got(wire.Finished, b"stack")[0].played_ms == 100.0
        assert self.gone(rig) == [0]
        error = rig.got(wire.Error, b"c0")[0]
        assert error.retryable
        assert "idle for longest" in error.message
        assert len(rig.voice.sessions) == self.EACH
        assert rig.counters["clients_gave_way"] == 1
        rig.say(wire.Ping(), client=b"c0")
        assert rig.errors(b"c0") == ["gave_way", "no_hello"]

    def test_the_longest_idle_one_goes_first(self):
        rig = self.full()
        rig.step(500)
        for number in (0, 1, 3):
            rig.say(wire.Ping(), client=b"c%d" % number)
        rig.hello(client=b"new")
        assert self.gone(rig) == [2]

    def test_one_that_did_something_once_goes_last(self):
        rig = self.full()
        rig.speak("t", ms=20, client=b"c0")
        rig.step(600)
        for number in range(1, self.EACH):
            rig.say(wire.Ping(), client=b"c%d" % number)
        rig.step(500)
        for number in range(self.EACH):
            rig.hello(client=b"n%d" % number, role="observer")
            rig.say(wire.Subscribe(topics=("state",)), client=b"n%d" % number)
        told = [owner for owner, message in rig.sent if isinstance(message, wire.Error) and message.code == "gave_way"]
        assert told[: self.EACH] == [*(b"c%d" % number for number in range(1, self.EACH)), b"c0"]

    @pytest.mark.parametrize(
        "part",
        [
            lambda rig, c: rig.speak("t", ms=9000, client=c),
            lambda rig, c: rig.say(wire.Pause(), client=c),
            lambda rig, c: rig.say(wire.State(state="listening"), client=c),
            lambda rig, c: (rig.hello(client=c, role="observer"), rig.say(wire.Subscribe(topics=("state",)), client=c)),
            lambda rig, c: (rig.hello(client=c, role="agent"), rig.say(wire.TakeFloor(), client=c)),
            lambda rig, c: (rig.hello(client=c, role="observer"), rig.say(wire.GetThumbnail(), client=c)),
        ],
        ids=["turn", "pause", "expression", "subscription", "floor", "thumbnail"],
    )
    def test_one_that_has_a_part_does_not(self, part):
        rig = VoiceRig(voice=VoiceConfig(max_clients=1))
        rig.hello()
        part(rig, b"a")
        rig.step(600)
        rig.hello(client=b"new")
        assert rig.errors(b"new") == ["too_many_clients"]
        assert "gave_way" not in rig.errors()

    def test_one_whose_sign_is_at_rest_again_does(self):
        rig = VoiceRig(voice=VoiceConfig(max_clients=1))
        rig.hello()
        for state in ("listening", "idle"):
            rig.say(wire.State(state=state))
        rig.step(600)
        rig.hello(client=b"new")
        assert rig.got(wire.Welcome, b"new")
        assert rig.errors() == ["gave_way"]

    def test_nor_one_that_has_only_just_come_so_that_a_storm_drives_out_itself(self):
        rig = self.full()
        rig.speak("t", ms=20, client=b"c0")
        rig.step(600)
        for number in range(1000):
            rig.hello(client=b"s%d" % number)
            rig.step(5)
        assert set(self.gone(rig)) <= set(range(1, self.EACH))
        assert rig.counters["clients_gave_way"] < 1000 * 5 / 500 * self.EACH
        assert len(rig.voice.sessions) == self.EACH

    def test_a_key_that_is_full_drives_out_its_own_and_nobody_elses(self):
        rig = VoiceRig(voice=VoiceConfig(max_clients=4, max_clients_each=2))
        for number in range(3):
            rig.allowed[b"k%d" % number] = allowed_roles("agent/ada")
        for client in (b"local", b"k0", b"k1"):
            rig.hello(client=client)
        rig.step(600)
        rig.hello(client=b"k2")
        assert rig.errors(b"k0") == ["gave_way"]
        assert rig.errors(b"local") == []

    def test_and_nobody_elses_either_where_its_own_are_at_work(self):
        rig = VoiceRig(voice=VoiceConfig(max_clients=2, max_clients_each=1))
        rig.allowed[b"k0"] = rig.allowed[b"k1"] = allowed_roles("agent/ada")
        rig.hello(client=b"local")
        rig.hello(client=b"k0", role="observer")
        rig.say(wire.Subscribe(), client=b"k0")
        rig.step(600)
        rig.hello(client=b"k1")
        assert rig.errors(b"k1") == ["too_many_clients"]
        assert rig.errors(b"local") == []

    def test_its_own_idle_one_goes_before_another_keys_that_was_idle_longer(self):
        rig = VoiceRig(voice=VoiceConfig(max_clients=2, max_clients_each=2))
        rig.allowed[b"k0"] = rig.allowed[b"k1"] = allowed_roles("agent/ada")
        rig.hello(client=b"local")
        rig.step(1000)
        rig.hello(client=b"k0")
        rig.step(600)
        rig.hello(client=b"k1")
        assert (rig.errors(b"k0"), rig.errors(b"local")) == (["gave_way"], [])

    def test_where_the_whole_voice_is_full_another_keys_idle_one_makes_room(self):
        rig = VoiceRig(voice=VoiceConfig(max_clients=2, max_clients_each=2))
        rig.hello(client=b"one")
        rig.hello(client=b"two")
        rig.step(600)
        rig.allowed[b"key"] = allowed_roles("agent/ada")
        rig.hello(client=b"key")
        assert rig.got(wire.Welcome, b"key")
        assert rig.errors(b"one") == ["gave_way"]

    def test_a_hello_that_is_refused_drives_nobody_out(self):
        rig = self.full()
        rig.step(600)
        rig.hello(client=b"new", rate_hz=1)
        rig.say(wire.Hello(protocol=9), client=b"new")
        assert rig.errors(b"new") == ["unsupported_rate", "protocol_version"]
        assert self.gone(rig) == []


def test_a_key_permits_its_role_only():
    rig = VoiceRig()
    rig.allowed = {
        b"s": allowed_roles("speaker/bot"),
        b"o": allowed_roles("observer/eye"),
        b"a": allowed_roles("agent/ada"),
        b"x": allowed_roles("nonsense/x"),
    }
    for client, role, allowed in (
        (b"s", "agent", False),
        (b"s", "observer", False),
        (b"s", "speaker", True),
        (b"o", "speaker", False),
        (b"o", "observer", True),
        (b"a", "observer", True),
        (b"a", "agent", True),
        (b"x", "speaker", False),
    ):
        rig.sent.clear()
        rig.say(wire.Hello(protocol=1, role=role), client=client)
        assert bool(rig.got(wire.Welcome, client)) is allowed, (client, role)
        assert (rig.errors(client) == ["not_allowed"]) is not allowed
