"""Keys, roles and floods over real sockets."""

import pytest
import zmq
import zmq.auth

from mien.core import wire
from mien.errors import ConfigError
from mien.transport.keys import KeyFolder
from rigs.services import RawClient, running_voice
from rigs.voice_rig import tone


@pytest.fixture
def keys(tmp_path):
    folder = KeyFolder(tmp_path / "keys")
    folder.make_voice_pair()
    for name, role in (("bot", "speaker"), ("ada", "agent"), ("eye", "observer")):
        folder.make_client(name, role, tmp_path / "out")
    return folder


def client_of(keys, tmp_path, voice, name, **options):
    pair = zmq.auth.load_certificate(tmp_path / "out" / f"{name}.key_secret")
    return RawClient(voice.endpoints[-1], key=pair, voice_key=keys.voice_pair()[0], **options)


def guarded_voice(keys, tmp_path, **options):
    return running_voice(tmp_path, keys=keys.root, voice={"listen": ("tcp://0.0.0.0:*",)}, **options)


def test_without_keys_the_network_is_refused_at_start(tmp_path):
    with (
        pytest.raises(ConfigError, match="mien keys make"),
        running_voice(tmp_path, keys=tmp_path / "none", voice={"listen": ("tcp://0.0.0.0:*",)}),
    ):
        pass


def test_a_key_lets_its_role_in_and_no_other(keys, tmp_path):
    with guarded_voice(keys, tmp_path) as voice, client_of(keys, tmp_path, voice, "bot") as bot:
        bot.send(wire.Hello(protocol=1, role="agent"))
        assert bot.receive(wire.Error).code == "not_allowed"
        bot.send(wire.Hello(protocol=1, role="speaker"))
        bot.receive(wire.Welcome)
        bot.send(wire.Audio(turn="t", seq=0), tone(100).tobytes())
        bot.send(wire.End(turn="t"))
        assert bot.receive(wire.Finished).played_ms == 100.0


def test_a_stranger_and_a_plain_connection_are_never_heard(keys, tmp_path):
    with guarded_voice(keys, tmp_path) as voice:
        public, secret = zmq.curve_keypair()
        with (
            RawClient(voice.endpoints[-1], key=(public, secret), voice_key=keys.voice_pair()[0]) as stranger,
            RawClient(voice.endpoints[-1]) as plain,
        ):
            for client in (stranger, plain):
                client.send(wire.Hello(protocol=1))
            with RawClient(voice.endpoints[0]) as local:  # the local socket stays open to its group
                local.send(wire.Hello(protocol=1))
                local.receive(wire.Welcome)
            assert not stranger.socket.poll(700)
            assert not plain.socket.poll(1)
        assert voice.counters["clients_seen"] == 1
        assert voice.counters["access_refused"] >= 1


def test_an_observer_inherits_nothing_from_an_agent_with_its_routing_id(keys, tmp_path):
    with guarded_voice(keys, tmp_path) as voice:
        with client_of(keys, tmp_path, voice, "ada", routing_id=b"ada") as ada:
            ada.send(wire.Hello(protocol=1, role="agent"))
            ada.receive(wire.Welcome)
        with client_of(keys, tmp_path, voice, "eye", routing_id=b"ada") as eye:
            eye.send(wire.TakeFloor())
            assert eye.receive(wire.Error).code == "no_hello"
            eye.send(wire.Hello(protocol=1, role="observer"))
            eye.send(wire.TakeFloor())
            assert eye.receive(wire.Error).code == "not_allowed"


def test_a_key_of_the_wrong_length_costs_nobody_anything(keys, tmp_path):
    """It passed the start, and the first stranger ended the voice."""
    (keys.root / "allowed" / "agent" / "bad.key").write_text('curve\n    public-key = "short"\n')
    with guarded_voice(keys, tmp_path) as voice:
        with RawClient(voice.endpoints[-1], key=zmq.curve_keypair(), voice_key=keys.voice_pair()[0]) as stranger:
            stranger.send(wire.Hello(protocol=1))
            assert not stranger.socket.poll(300)
        with client_of(keys, tmp_path, voice, "bot") as bot:
            bot.send(wire.Hello(protocol=1))
            bot.receive(wire.Welcome)


def test_a_session_whose_key_is_removed_ends_while_a_bad_file_is_there(keys, tmp_path):
    with guarded_voice(keys, tmp_path) as voice, client_of(keys, tmp_path, voice, "bot") as bot:
        bot.send(wire.Hello(protocol=1))
        bot.receive(wire.Welcome)
        (keys.root / "allowed" / "agent" / "bad.key").write_text("nonsense")
        keys.remove("bot")
        assert bot.receive(wire.Error).code == "access_revoked"
        with client_of(keys, tmp_path, voice, "bot") as again:
            again.send(wire.Hello(protocol=1))
            assert not again.socket.poll(500)


def test_a_takeover_from_another_machine(keys, tmp_path):
    with (
        guarded_voice(keys, tmp_path, journal={"enabled": True}) as voice,
        RawClient(voice.endpoints[0]) as bot,
        client_of(keys, tmp_path, voice, "ada") as ada,
        client_of(keys, tmp_path, voice, "eye") as eye,
    ):
        for client, role in ((bot, "speaker"), (ada, "agent"), (eye, "observer")):
            client.send(wire.Hello(protocol=1, client=role, role=role))
            client.receive(wire.Welcome)
        eye.send(wire.Subscribe())
        bot.send(wire.Audio(turn="b", seq=0), tone(2000).tobytes())
        bot.receive(wire.Started)
        ada.send(wire.TakeFloor(queue="drop"))
        assert bot.receive(wire.Floor).holder == "agent"
        assert bot.receive(wire.Finished).reason == "taken_over"
        ada.send(wire.Audio(turn="a", seq=0), tone(100).tobytes())
        ada.send(wire.End(turn="a"))
        ada.send(wire.ReleaseFloor())
        assert ada.receive(wire.Finished).played_ms == 100.0
        assert bot.receive(wire.Floor).why == "released"
        assert eye.receive(wire.HealthReport).clients == 3
    log = (tmp_path / "journal" / "sessions.jsonl").read_text()
    assert '"type":"take_floor"' in log


def test_an_agent_that_dies_gives_the_floor_back(tmp_path):
    with running_voice(tmp_path, voice={"floor_vanish_timeout_ms": 200}) as voice, RawClient(voice.endpoints[0]) as bot:
        bot.send(wire.Hello(protocol=1))
        bot.receive(wire.Welcome)
        with RawClient(voice.endpoints[-1]) as agent:
            agent.send(wire.Hello(protocol=1, role="agent"))
            agent.send(wire.TakeFloor())
            assert agent.receive(wire.Floor).yours
        assert bot.receive(wire.Floor).why == "taken"
        assert bot.receive(wire.Floor).why == "vanished"


def test_a_flood_beside_a_speaker(tmp_path):
    """The sink is deep, so that only what the flood does to the voice, and not this machine's load, can empty it."""
    with (
        running_voice(tmp_path, voice={"max_messages_per_s": 100}, buffer_ms=500) as voice,
        RawClient(voice.endpoints[0]) as good,
        RawClient(voice.endpoints[-1]) as bad,
    ):
        good.send(wire.Hello(protocol=1))
        good.receive(wire.Welcome)
        bad.socket.setsockopt(zmq.SNDTIMEO, 10_000)
        for seq in range(50):
            good.send(wire.Audio(turn="t", seq=seq), tone(20).tobytes())
            for _ in range(400):
                bad.socket.send_multipart([b"\xc1" * 200, b"\0"])
        good.send(wire.End(turn="t"))
        assert good.receive(wire.Finished).played_ms == 1000.0
        assert voice.counters["messages_over_limit"] > 0
        assert voice.counters["sink_underruns"] == 0
