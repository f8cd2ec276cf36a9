"""The visit that a speaker reports: who is told, when it ends, what a late subscriber gets."""

import pytest

from mien.core import bus, wire
from rigs.voice_rig import VoiceRig

BOT, ADA, EYE = b"bot", b"ada", b"eye"
TALK = wire.Visit(phase="conversation", visit="v1", language="de")


@pytest.fixture
def rig():
    rig = VoiceRig()
    rig.hello(client=BOT)
    rig.say(wire.Hello(protocol=1, client="Ada", role="agent"), client=ADA)
    rig.say(wire.Hello(protocol=1, client="Eye", role="observer"), client=EYE)
    rig.step(50)
    return rig


def visits(rig, client=EYE):
    return [(visit.phase, visit.visit, visit.reason) for visit in rig.got(wire.Visit, client)]


def test_subscribers_are_told_with_the_name_of_the_client_and_nobody_else(rig):
    rig.say(wire.Subscribe(topics=("visits",)), client=EYE)
    rig.say(wire.Visit(phase="over", visit="v1", turns=2, answered=1, questions=("Why?",)), client=BOT)
    told = rig.got(wire.Visit, EYE)[0]
    assert (told.client, told.turns, told.answered, told.questions) == ("client", 2, 1, ("Why?",))
    assert visits(rig, ADA) == visits(rig, BOT) == []


def test_a_late_subscriber_gets_the_newest_and_no_visit_that_is_over(rig):
    rig.say(wire.Visit(phase="greeting", visit="v1"), client=BOT)
    rig.say(TALK, client=BOT)
    rig.say(wire.Subscribe(topics=("visits",)), client=EYE)
    assert visits(rig) == [("conversation", "v1", "")]
    rig.say(wire.Visit(phase="over", visit="v1", reason="word"), client=BOT)
    rig.say(wire.Subscribe(topics=("visits",)), client=ADA)
    assert visits(rig, ADA) == []


@pytest.mark.parametrize("end", [lambda rig: rig.voice.left(BOT), lambda rig: rig.say(wire.Bye(), client=BOT)])
def test_it_ends_with_its_client_once(rig, end):
    rig.say(wire.Subscribe(topics=("visits",)), client=EYE)
    rig.say(TALK, client=BOT)
    end(rig)
    assert visits(rig) == [("conversation", "v1", ""), ("over", "v1", "client_gone")]
    assert rig.got(wire.Visit, EYE)[-1].language == "de"


def test_a_visit_of_another_speaker_takes_its_place(rig):
    rig.say(wire.Subscribe(topics=("visits",)), client=EYE)
    rig.say(TALK, client=BOT)
    rig.hello(client=b"new")
    rig.say(wire.Visit(phase="attract"), client=b"new")
    rig.voice.left(BOT)
    assert visits(rig) == [("conversation", "v1", ""), ("over", "v1", "replaced"), ("attract", "", "")]


@pytest.mark.parametrize("client", [ADA, EYE])
def test_only_a_speaker_reports_one(rig, client):
    rig.say(TALK, client=client)
    assert rig.errors(client) == ["not_allowed"]


def test_a_visit_without_its_id_is_refused_by_its_field(rig):
    rig.say(wire.Visit(phase="greeting"), client=BOT)
    error = rig.got(wire.Error, BOT)[0]
    assert (error.code, error.message) == (
        "malformed",
        "in 'visit': visit: in the phase 'greeting' a visit has an id",
    )


def test_a_client_that_reports_a_visit_keeps_its_place(rig):
    assert not rig.voice.admission._has_part(rig.voice.sessions.find(BOT))
    rig.say(TALK, client=BOT)
    assert rig.voice.admission._has_part(rig.voice.sessions.find(BOT))


def test_the_bus_tells_the_phase_to_watchers_on_this_machine(rig):
    rig.say(TALK, client=BOT)
    rig.step(1100)
    health = [one for one in rig.published if isinstance(one, bus.VoiceHealth)][-1]
    assert (health.visit, health.language) == ("conversation", "de")
    rig.voice.left(BOT)
    rig.step(1100)
    assert [one for one in rig.published if isinstance(one, bus.VoiceHealth)][-1].visit == ""
