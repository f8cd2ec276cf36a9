"""A customer calls a person: who is told, who answers, what ends it."""

import pytest

from mien.client._call import make_call
from mien.core import wire
from rigs.voice_rig import VoiceRig

BOT, ADA, BEN, EYE = b"bot", b"ada", b"ben", b"eye"
CALL = wire.Call(question="A refund?", language="en", conversation=(wire.Spoken("customer", "A refund?"),))


@pytest.fixture
def rig():
    rig = VoiceRig()
    rig.hello(client=BOT)
    rig.say(wire.Hello(protocol=1, client="Ada", role="agent"), client=ADA)
    rig.say(wire.Hello(protocol=1, client="Eye", role="observer"), client=EYE)
    rig.step(50)
    return rig


def calls(rig, client):
    return [(call.open, call.question, call.client) for call in rig.got(wire.Call, client)]


def test_agents_are_told_and_observers_that_ask_for_it(rig):
    rig.say(CALL, client=BOT)
    assert calls(rig, ADA) == [(True, "A refund?", "client")]
    assert rig.got(wire.Call, ADA)[0].conversation == CALL.conversation
    assert calls(rig, EYE) == calls(rig, BOT) == []
    rig.step(1000)
    rig.say(wire.Subscribe(topics=("calls",)), client=EYE)
    assert [call.waited_ms for call in rig.got(wire.Call, EYE)] == [1000.0]


def test_an_agent_who_comes_later_is_told_at_once(rig):
    rig.say(CALL, client=BOT)
    rig.step(2000)
    rig.say(wire.Hello(protocol=1, client="Ben", role="agent"), client=BEN)
    assert [call.waited_ms for call in rig.got(wire.Call, BEN)] == [2000.0]


def test_an_answer_reaches_the_caller_with_the_time_it_took(rig):
    rig.say(CALL, client=BOT)
    rig.step(3000)
    rig.say(wire.AnswerCall(coming=True, in_s=60), client=ADA)
    assert rig.got(wire.CallAnswered, BOT) == [wire.CallAnswered(agent="Ada", coming=True, in_s=60, waited_ms=3000.0)]


@pytest.mark.parametrize(
    "end",
    [
        lambda rig: rig.say(wire.Call(open=False), client=BOT),
        lambda rig: rig.voice.left(BOT),
        lambda rig: rig.say(wire.Bye(), client=BOT),
    ],
    ids=["withdrawn", "gone", "bye"],
)
def test_it_ends_with_its_client_and_agents_are_told(rig, end):
    rig.say(CALL, client=BOT)
    end(rig)
    assert calls(rig, ADA)[-1] == (False, "", "client")
    rig.say(wire.AnswerCall(coming=True), client=ADA)
    assert rig.got(wire.Error, ADA)[-1].code == "no_call"


def test_only_agents_answer_and_observers_do_not_call(rig):
    rig.say(CALL, client=EYE)
    assert rig.got(wire.Error, EYE)[-1].code == "not_allowed"
    rig.say(CALL, client=BOT)
    rig.say(wire.AnswerCall(coming=True), client=BOT)
    assert rig.got(wire.Error, BOT)[-1].code == "not_allowed"


def test_what_an_agent_notes_reaches_the_speakers_and_no_observer(rig):
    rig.say(CALL, client=BOT)
    rig.say(wire.TakeFloor(), client=ADA)
    rig.say(wire.ReleaseFloor(note="refunded"), client=ADA)
    rig.step(50)
    assert [(floor.why, floor.note) for floor in rig.got(wire.Floor, BOT)] == [("taken", ""), ("released", "refunded")]
    assert [floor.note for floor in rig.got(wire.Floor, EYE)] == ["", ""]
    rig.say(wire.TakeFloor(), client=ADA)
    rig.say(wire.ReleaseFloor(), client=ADA)
    rig.step(50)
    assert rig.got(wire.Floor, BOT)[-1].note == ""


def test_a_long_conversation_fits_into_a_header():
    long = make_call("x" * 9000, "en", [("customer", "\U0001f600" * 1000), ("kiosk", "y")] * 100)
    assert len(wire.encode(long)) < wire.MAX_HEADER_BYTES
    assert wire.decode_client(wire.encode(long)) == long
    assert long.conversation[-1] == wire.Spoken("kiosk", "y")
