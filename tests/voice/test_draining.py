"""Turning new visitors away: who orders it, who is told, how long it holds."""

import pytest

from mien.core import wire
from rigs.voice_rig import VoiceRig

BOT, OLD, ADA, EYE = b"bot", b"old", b"ada", b"eye"


@pytest.fixture
def rig():
    rig = VoiceRig()
    rig.hello(client=BOT, capabilities=("relay", "drain"))
    rig.hello(client=OLD)
    for client, name, role in ((ADA, "Ada", "agent"), (EYE, "Eye", "observer")):
        rig.say(wire.Hello(protocol=1, client=name, role=role, capabilities=("drain",)), client=client)
    return rig


def told(rig, client=BOT):
    return [message.on for message in rig.got(wire.Draining, client)]


def test_a_speaker_that_wants_to_know_is_told_after_its_welcome_and_on_each_change(rig):
    assert told(rig) == [False]
    for on in (True, True, False):
        rig.say(wire.Drain(on=on), client=ADA)
    assert told(rig) == [False, True, False]
    for other in (OLD, ADA, EYE):
        assert told(rig, other) == []


def test_it_outlives_who_ordered_it_and_reaches_who_comes_later(rig):
    rig.say(wire.Drain(on=True), client=ADA)
    rig.voice.left(ADA)
    rig.hello(client=b"new", capabilities=("drain",))
    kinds = [type(message) for owner, message in rig.sent if owner == b"new"]
    assert kinds.index(wire.Welcome) < kinds.index(wire.Draining)
    assert told(rig, b"new") == [True]


@pytest.mark.parametrize("client", [BOT, EYE])
def test_only_agents_order_it(rig, client):
    rig.say(wire.Drain(on=True), client=client)
    assert rig.errors(client) == ["not_allowed"]
    assert told(rig) == [False]


def test_the_voice_says_that_it_can(rig):
    assert "drain" in rig.got(wire.Welcome, BOT)[0].capabilities
