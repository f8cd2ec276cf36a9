"""What falls due while nobody speaks is done in time, though an idle voice only tops its device up."""

import pytest

from mien.config import VoiceConfig
from mien.core import bus, wire
from mien.errors import SinkError
from rigs.voice_rig import START_NS, VoiceRig

AGENT, EYE = b"agent", b"eye"
MS = 10**6


@pytest.fixture
def rig():
    voice = VoiceConfig(floor_vanish_timeout_ms=330, floor_idle_timeout_ms=430, max_pause_ms=370)
    rig = VoiceRig(voice=voice)
    rig.hello()
    rig.hello(client=AGENT, role="agent")
    rig.step(1013)
    return rig


def came_after_ms(rig, kind, client=b"a", most_ms=3000):
    """How long it takes until this client is sent a message of that kind."""
    began_ns, before = rig.clock.now_ns(), len(rig.got(kind, client))
    while len(rig.got(kind, client)) == before:
        rig.step(5)
        assert rig.clock.now_ns() - began_ns < most_ms * MS
    return (rig.clock.now_ns() - began_ns) / MS


def test_a_pause_ends_in_time(rig):
    rig.say(wire.Pause())
    assert came_after_ms(rig, wire.Resumed) == pytest.approx(370, abs=10)


def test_a_floor_is_given_back_in_time(rig):
    rig.say(wire.TakeFloor(), client=AGENT)
    assert came_after_ms(rig, wire.Floor) == pytest.approx(430, abs=10)
    rig.say(wire.TakeFloor(), client=AGENT)
    rig.voice.left(AGENT)
    assert came_after_ms(rig, wire.Floor) == pytest.approx(330, abs=10)


def test_levels_and_a_picture_that_does_not_come_are_told_in_time(rig):
    rig.hello(client=EYE, role="observer")
    rig.say(wire.Subscribe(topics=("levels",)), client=EYE)
    came_after_ms(rig, wire.Levels, EYE)
    assert came_after_ms(rig, wire.Levels, EYE) == pytest.approx(100, abs=10)
    rig.say(wire.Subscribe(topics=()), client=EYE)
    rig.say(wire.GetThumbnail(width=64), client=EYE)
    assert came_after_ms(rig, wire.Error, EYE) == pytest.approx(2000, abs=10)


def test_news_that_had_to_wait_is_told_in_time(rig):
    rig.say(wire.Presence(source="door"), client=AGENT)
    assert came_after_ms(rig, wire.Presence) <= 10
    rig.say(wire.Presence(present=False, source="door"), client=AGENT)
    assert came_after_ms(rig, wire.Presence) == pytest.approx(250, abs=10)


def test_a_message_is_served_at_once_and_then_it_rests_again(rig):
    steps = []
    observe = rig.voice.observers.step
    rig.voice.observers.step = lambda *asked: (steps.append(rig.clock.now_ns()), observe(*asked))
    rig.step(1000)
    resting = len(steps)
    assert resting <= 6  # four anchors and a report
    rig.say(wire.Ping())
    rig.step(5)
    assert len(steps) == resting + 1
    for touch in (lambda: rig.voice.left(EYE), rig.voice.joined, lambda: rig.voice.report(b"")):
        before = len(steps)
        touch()
        rig.step(5)
        assert len(steps) == before + 1
    rig.step(1000)
    assert len(steps) <= resting + 4 + 6


def test_the_first_step_of_a_voice_is_a_whole_one():
    rig = VoiceRig()
    rig.step(5)
    assert [type(message) for message in rig.published] == [bus.Anchor, bus.VoiceHealth]
    assert rig.clock.now_ns() == START_NS + 5 * MS


def test_the_line_for_systemd_says_what_there_is(rig):
    assert rig.voice.status == "audio_only, 2 clients, idle"
    rig.hello(client=EYE, role="observer")
    rig.speak("hello", ms=200)
    rig.step(50)
    rig.ear_health("ok")
    assert rig.voice.status == "audio_only, 3 clients, speaking, ear ok, last turn hello"
    rig.step(500)
    assert rig.voice.status == "audio_only, 3 clients, idle, ear ok, last turn hello"

    def pulled(_):
        raise SinkError("gone")

    rig.sink.write = pulled
    rig.step(50)
    assert rig.voice.status == "silent, 3 clients, idle, sound card lost, ear ok, last turn hello"
    assert rig.voice.standing(EYE) == "observer"
    assert rig.voice.standing(b"nobody") == "stranger"


def test_a_malformed_report_is_counted_and_costs_few_lines(rig, caplog):
    for _ in range(100):
        rig.voice.report(b"bad")
    assert rig.counters["bus_refused"] == 100
    assert len([line for line in caplog.messages if "bus has version" in line]) == 5
    assert not rig.preroll.present(rig.clock.now_ns())
