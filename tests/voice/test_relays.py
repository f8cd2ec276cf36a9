"""What agents hand to the voice stack: who gets it, who answers, who may not."""

import pytest

from mien.core import wire
from mien.voice.relays import REMEMBERED
from rigs.voice_rig import VoiceRig

BOT, OLD, ADA, BEN, EYE = b"bot", b"old", b"ada", b"ben", b"eye"
SAY = wire.Relay(kind="say", text="Your table is ready.", id="r1")


@pytest.fixture
def rig():
    rig = VoiceRig()
    rig.hello(client=BOT, capabilities=("relay",))
    for client, name, role in ((ADA, "Ada", "agent"), (BEN, "Ben", "agent"), (EYE, "Eye", "observer")):
        rig.say(wire.Hello(protocol=1, client=name, role=role), client=client)
    rig.step(50)
    return rig


@pytest.mark.parametrize("kind", ["say", "whisper", "note"])
def test_a_text_reaches_the_speaker_with_its_sender_and_the_agent_is_told(rig, kind):
    rig.say(wire.Relay(kind=kind, text="x", id="r1"), client=ADA)
    assert rig.got(wire.Relayed, BOT) == [wire.Relayed(kind=kind, text="x", sender="Ada", id="r1")]
    assert rig.got(wire.RelayTaken, ADA) == [wire.RelayTaken(id="r1", speaker="client")]
    for other in (ADA, BEN, EYE):
        assert rig.got(wire.Relayed, other) == []


def test_the_newest_speaker_that_takes_such_gets_it_and_no_other(rig):
    rig.hello(client=OLD)  # newer, and does not take any
    rig.say(SAY, client=ADA)
    assert len(rig.got(wire.Relayed, BOT)) == 1
    rig.hello(client=b"new", capabilities=("dance", "relay"))
    rig.say(SAY, client=ADA)
    assert len(rig.got(wire.Relayed, b"new")) == 1
    assert len(rig.got(wire.Relayed, BOT)) == 1
    assert rig.got(wire.Relayed, OLD) == []


def test_without_such_a_speaker_it_is_refused_and_may_be_tried_again(rig):
    rig.voice.left(BOT)
    rig.hello(client=OLD)
    rig.say(SAY, client=ADA)
    error = rig.got(wire.Error, ADA)[-1]
    assert (error.code, error.retryable) == ("no_speaker", True)
    assert rig.got(wire.RelayTaken, ADA) == []


def test_an_agent_with_the_capability_is_no_speaker(rig):
    rig.voice.left(BOT)
    rig.say(wire.Hello(protocol=1, client="Cem", role="agent", capabilities=("relay",)), client=b"cem")
    rig.say(SAY, client=ADA)
    assert rig.errors(ADA) == ["no_speaker"]


@pytest.mark.parametrize("client", [BOT, EYE])
def test_only_agents_relay(rig, client):
    rig.say(SAY, client=client)
    assert rig.errors(client) == ["not_allowed"]
    assert rig.got(wire.Relayed, BOT) == []


def test_while_an_agent_holds_the_floor_only_that_agent_lets_say_and_others_whisper(rig):
    rig.say(wire.TakeFloor(), client=ADA)
    rig.say(SAY, client=BEN)
    assert rig.errors(BEN) == ["floor_taken"]
    for kind in ("whisper", "note"):
        rig.say(wire.Relay(kind=kind, text="x", id=kind), client=BEN)
    rig.say(SAY, client=ADA)
    assert [one.kind for one in rig.got(wire.Relayed, BOT)] == ["whisper", "note", "say"]


def test_what_became_of_it_is_told_to_its_agent_alone_and_once(rig):
    rig.say(SAY, client=ADA)
    done = wire.RelayDone(id="r1", outcome="unused", why="no prompt")
    rig.say(done, client=BOT)
    rig.say(done, client=BOT)
    assert rig.got(wire.RelayDone, ADA) == [done]
    assert rig.got(wire.RelayDone, BEN) == rig.got(wire.RelayDone, EYE) == []
    assert rig.counters["relays_stale"] == 1
    assert rig.errors(BOT) == []


@pytest.mark.parametrize("client", [ADA, EYE])
def test_only_a_speaker_says_what_became_of_it(rig, client):
    rig.say(SAY, client=ADA)
    rig.say(wire.RelayDone(id="r1", outcome="said"), client=client)
    assert rig.errors(client) == ["not_allowed"]


def test_another_speaker_cannot_answer_in_its_place(rig):
    rig.say(SAY, client=ADA)
    rig.hello(client=OLD)
    rig.say(wire.RelayDone(id="r1", outcome="said"), client=OLD)
    assert rig.got(wire.RelayDone, ADA) == []


def test_an_agent_that_has_left_is_not_told(rig):
    rig.say(SAY, client=ADA)
    rig.voice.left(ADA)
    rig.sent.clear()
    rig.say(wire.RelayDone(id="r1", outcome="said"), client=BOT)
    assert rig.got(wire.RelayDone, ADA) == []
    assert not rig.voice.supervision.relays._senders


def test_answers_that_never_come_take_no_memory(rig):
    for number in range(3 * REMEMBERED):
        rig.say(wire.Relay(kind="note", text="x", id=str(number)), client=ADA)
    assert len(rig.voice.supervision.relays._senders) == REMEMBERED
    rig.say(wire.RelayDone(id=str(3 * REMEMBERED - 1), outcome="kept"), client=BOT)
    assert len(rig.got(wire.RelayDone, ADA)) == 1
