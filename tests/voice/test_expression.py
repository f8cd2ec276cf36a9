"""What a client wants of the face ends with the client."""

import pytest

from mien.core import bus, wire
from rigs.voice_rig import VoiceRig

A, B, EYE = b"a", b"b", b"eye"


@pytest.fixture
def rig():
    rig = VoiceRig()
    rig.hello(client=A)
    rig.hello(client=B)
    return rig


def face(rig):
    """What the face was told last."""
    last = [message for message in rig.published if isinstance(message, bus.Expression)][-1]
    return last.state, last.emotion, last.intensity, (last.look_x, last.look_y)


AT_REST = ("idle", "neutral", 0.0, (None, None))


def set_all(rig, client=A):
    for message in (
        wire.State(state="listening"),
        wire.Emotion(name="happy", intensity=0.5),
        wire.LookAt(x=0.5, y=-0.5),
    ):
        rig.say(message, client=client)


@pytest.mark.parametrize(
    "end",
    [
        lambda rig: rig.voice.left(A),
        lambda rig: rig.say(wire.Bye(), client=A),
        lambda rig: rig.hello(client=A, role="observer"),
        lambda rig: rig.hello(client=b"c", replaces=rig.got(wire.Welcome, A)[0].session),
    ],
    ids=["gone", "bye", "new role", "replaced"],
)
def test_all_of_it_goes_back_to_rest(rig, end):
    set_all(rig)
    assert face(rig) == ("listening", "happy", 0.5, (0.5, -0.5))
    end(rig)
    assert face(rig) == AT_REST
    assert rig.voice.expressions.now.state == "idle"


def test_what_another_client_set_since_stays(rig):
    set_all(rig)
    rig.say(wire.State(state="thinking"), client=B)
    rig.voice.left(A)
    assert face(rig) == ("thinking", "neutral", 0.0, (None, None))
    rig.voice.left(B)
    assert face(rig) == AT_REST


def test_the_end_of_another_client_changes_nothing(rig):
    set_all(rig)
    told = len(rig.published)
    rig.voice.left(B)
    assert len(rig.published) == told
    assert face(rig) == ("listening", "happy", 0.5, (0.5, -0.5))


def test_it_survives_a_hello_in_the_same_role(rig):
    set_all(rig)
    rig.hello(client=A, rate_hz=24000)
    assert face(rig)[0] == "listening"


def test_observers_see_it_end(rig):
    rig.hello(client=EYE, role="observer")
    rig.say(wire.Subscribe(topics=("state",)), client=EYE)
    set_all(rig)
    rig.step(10)
    rig.voice.left(A)
    rig.step(10)
    assert [(m.state, m.emotion) for m in rig.got(wire.Status, EYE)] == [("listening", "happy"), ("idle", "neutral")]
