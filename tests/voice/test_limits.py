"""A flood from one client is refused, told of sparingly, and touches nobody else."""

import numpy as np

from mien.config import VoiceConfig
from mien.core import wire
from mien.units import NS_PER_S
from mien.voice.grants import grant_of
from mien.voice.limits import BURST_S, RateLimits
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
    heard = np.trim_zeros(rig.sink.pcm)
    assert np.array_equal(heard[: len(speech) - 1], speech[1:])


def test_allowances_are_forgotten_once_they_are_whole():
    limits = RateLimits(VoiceConfig())
    for number in range(10_000):
        assert limits.take(b"%d" % number, 100, 0)
    limits.sweep(round(BURST_S * NS_PER_S))
    assert len(limits) == 0


def test_one_key_cannot_take_every_place():
    rig = VoiceRig(voice=VoiceConfig(max_clients=4, max_clients_each=2))
    for number in range(3):
        rig.grants[b"x%d" % number] = grant_of("agent/ada")
        rig.hello(client=b"x%d" % number)
    assert rig.errors(b"x2") == ["too_many_clients"]
    rig.hello(client=b"local")
    assert rig.got(wire.Welcome, b"local")


def test_a_key_permits_its_role_only():
    rig = VoiceRig()
    rig.grants = {b"s": grant_of("speaker/bot"), b"o": grant_of("observer/eye"), b"a": grant_of("agent/ada"),
                  b"x": grant_of("nonsense/x")}
    for client, role, allowed in ((b"s", "agent", False), (b"s", "observer", False), (b"s", "speaker", True),
                                  (b"o", "speaker", False), (b"o", "observer", True), (b"a", "observer", True),
                                  (b"a", "agent", True), (b"x", "speaker", False)):
        rig.sent.clear()
        rig.say(wire.Hello(protocol=1, role=role), client=client)
        assert bool(rig.got(wire.Welcome, client)) is allowed, (client, role)
        assert (rig.errors(client) == ["not_allowed"]) is not allowed
