"""A person elsewhere who listens or speaks: what the face is told. An operator's switch of the screen."""

import pytest

from mien.core import bus, wire
from rigs.voice_rig import VoiceRig

BOT, ADA, BEN, EYE = b"bot", b"ada", b"ben", b"eye"


@pytest.fixture
def rig():
    rig = VoiceRig()
    rig.hello(client=BOT)
    for client, name, role in ((ADA, "Ada", "agent"), (BEN, "Ben", "agent"), (EYE, "Eye", "observer")):
        rig.say(wire.Hello(protocol=1, client=name, role=role), client=client)
    rig.step(50)
    rig.published.clear()
    return rig


def signs(rig):
    return [(one.listening, one.speaking, one.name) for one in rig.published if isinstance(one, bus.AttendSign)]


def orders(rig):
    return [(one.power, one.brightness) for one in rig.published if isinstance(one, bus.ScreenOrder)]


@pytest.mark.parametrize("client", [ADA, EYE])
def test_an_agent_and_an_observer_attend_until_they_say_otherwise(rig, client):
    rig.say(wire.Attend(listening=True, name="Ada"), client=client)
    rig.step(500)
    rig.say(wire.Attend(), client=client)
    rig.step(500)
    assert signs(rig) == [(True, False, "Ada"), (False, False, "")]


@pytest.mark.parametrize(
    "end",
    [
        lambda rig: rig.voice.left(ADA),
        lambda rig: rig.say(wire.Bye(), client=ADA),
        lambda rig: rig.say(wire.Hello(protocol=1, client="Ada", role="observer"), client=ADA),
    ],
    ids=["gone", "bye", "another role"],
)
def test_it_ends_with_its_session(rig, end):
    rig.say(wire.Attend(listening=True, speaking=True), client=ADA)
    rig.step()
    end(rig)
    rig.step()
    assert signs(rig) == [(True, True, ""), (False, False, "")]


def test_several_people_are_one_sign_without_a_name_of_either(rig):
    rig.say(wire.Attend(listening=True, name="Ada"), client=ADA)
    rig.step()
    rig.say(wire.Attend(speaking=True, name="Ben"), client=BEN)
    rig.step()
    rig.voice.left(ADA)
    rig.step()
    assert signs(rig) == [(True, False, "Ada"), (True, True, ""), (False, True, "Ben")]


def test_who_holds_the_floor_is_shown_as_speaking_by_itself(rig):
    rig.say(wire.TakeFloor(), client=ADA)
    rig.step()
    assert signs(rig) == [(False, True, "")], "the name of a client is for people at a desk"
    rig.say(wire.Attend(listening=True, name="Ada"), client=ADA)
    rig.step()
    rig.say(wire.ReleaseFloor(), client=ADA)
    rig.step(50)
    assert signs(rig)[1:] == [(True, True, "Ada"), (True, False, "Ada")]


def test_a_speaker_does_not_attend(rig):
    rig.say(wire.Attend(listening=True), client=BOT)
    rig.step()
    assert rig.errors(BOT) == ["not_allowed"]
    assert signs(rig) == []


def test_a_face_that_joins_late_is_told(rig):
    rig.say(wire.Attend(listening=True), client=EYE)
    rig.say(wire.Screen(power="on", brightness=0.5), client=ADA)
    rig.step()
    rig.published.clear()
    rig.voice.joined()
    assert signs(rig) == [(True, False, "")]
    assert orders(rig) == [("on", 0.5)]


def test_who_attends_keeps_the_place_and_who_listens_no_more_does_not(rig):
    session = rig.voice.sessions.find(EYE)
    rig.say(wire.Attend(listening=True), client=EYE)
    assert rig.voice.admission._has_part(session)
    rig.say(wire.Attend(), client=EYE)
    assert not rig.voice.admission._has_part(session)


def test_the_screen_is_switched_by_agents_and_stays_so_when_they_have_left(rig):
    rig.say(wire.Screen(power="off"), client=ADA)
    rig.say(wire.Screen(power="auto", brightness=0.25), client=BEN)
    rig.say(wire.Screen(power="on"), client=BEN)
    rig.voice.left(BEN)
    rig.say(wire.Bye(), client=ADA)
    rig.step(500)
    assert orders(rig) == [("off", 1.0), ("auto", 0.25), ("on", 0.25)]


@pytest.mark.parametrize("client", [BOT, EYE])
def test_nobody_else_switches_the_screen(rig, client):
    rig.say(wire.Screen(power="off"), client=client)
    assert rig.errors(client) == ["not_allowed"]
    assert orders(rig) == []
