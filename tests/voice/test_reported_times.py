"""Times in messages: in whole microseconds, and as often as they are promised."""

import msgspec
import pytest

from mien.config import VoiceConfig
from mien.core import bus, ear_bus, wire
from rigs.voice_rig import VoiceRig, tone

MS = 10**6
RATE_HZ = 44_100  # of which no whole number of ms but 10 is a whole number of frames
EYE = b"eye"


def told(rig):
    """(message, field) -> the values in ms, of everything that was sent."""
    found = {}
    for _, message in rig.sent:
        for part in (message, *getattr(message, "replaced", ())):
            for name, value in msgspec.structs.asdict(part).items():
                if isinstance(value, float) and name.endswith("_ms"):
                    found.setdefault((type(part).__name__, name), []).append(value)
    return found


@pytest.fixture(scope="module")
def rig():
    """A turn that stalls and goes on, barge-ins, an interrupt, a client that crashes and restarts."""
    rig = VoiceRig(rate_hz=RATE_HZ, voice=VoiceConfig(progress_ms=100), barge_in={"mode": "pause", "window_ms": 1000})
    rig.hello(rate_hz=RATE_HZ)
    rig.hello(client=EYE, role="agent")
    rig.say(wire.Subscribe(), client=EYE)
    rig.say(wire.Listen(), client=EYE)
    rig.ear_health()
    rig.step(50)
    for seq in range(3):
        rig.clock.advance_ns(317)
        rig.audio("late", seq, tone(151, RATE_HZ))
        rig.step(207)
    for seq in range(3, 7):
        rig.audio("late", seq, tone(397, RATE_HZ))
    rig.step(303)
    for utterance in (1, 2):
        rig.ear_health()
        at_ns = rig.clock.now_ns() - 101 * MS - 1
        rig.hear(ear_bus.UserStarted(utterance=utterance, at_ns=at_ns, confidence=1.0))
        rig.step(253)
        if utterance == 1:
            rig.say(wire.Resume())
            rig.step(407)
    rig.say(wire.Interrupt())
    rig.step(100)
    for number in range(3):
        rig.audio(f"cut {number}", 0, tone(503, RATE_HZ))
        rig.step(205 + 15 * number)
        rig.say(wire.Interrupt())
        rig.step(100)
    rig.audio("crash", 0, tone(709, RATE_HZ))
    rig.step(333)
    rig.voice.left(b"a")
    rig.hello(client=b"b", rate_hz=RATE_HZ)
    rig.step(50)
    return rig


FIELDS = [
    ("Started", "latency_ms"),
    ("Progress", "played_ms"),
    ("Progress", "buffered_ms"),
    ("Progress", "credit_ms"),
    ("Stalled", "played_ms"),
    ("Rebuffered", "played_ms"),
    ("Rebuffered", "stood_ms"),
    ("Rebuffered", "cushion_ms"),
    ("Finished", "played_ms"),
    ("Finished", "barge_in_ms"),
    ("Outcome", "played_ms"),
    ("Status", "played_ms"),
    ("BargeIn", "heard_ms"),
    ("ReplacedTurn", "played_ms"),
]


@pytest.mark.parametrize(("message", "field"), FIELDS)
def test_a_time_is_told_in_whole_microseconds(rig, message, field):
    values = told(rig)[message, field]
    assert [value for value in values if value != round(value, 3)] == []
    assert [value for value in values if value != round(value, 2)] != []


def test_no_other_time_is_told_more_finely(rig):
    assert {place for place, values in told(rig).items() if any(value != round(value, 3) for value in values)} == set()


@pytest.mark.parametrize("every_ms", [50, 200])
def test_progress_is_told_as_often_as_it_is_configured(every_ms):
    rig = VoiceRig(voice=VoiceConfig(progress_ms=every_ms))
    rig.hello()
    rig.step(50)
    rig.speak(ms=3000)
    rig.step(2000)
    assert len(rig.got(wire.Progress)) == pytest.approx(2000 / every_ms, abs=1)


@pytest.mark.parametrize("every_ms", [50, 200])
def test_observers_are_told_of_a_turn_as_often_as_its_client(every_ms):
    rig = VoiceRig(voice=VoiceConfig(progress_ms=every_ms))
    rig.hello()
    rig.hello(client=EYE, role="observer")
    rig.say(wire.Subscribe(topics=("state", "levels")), client=EYE)
    rig.step(50)
    rig.speak(ms=3000)
    rig.step(2000)
    speaking = [status for status in rig.got(wire.Status, EYE) if status.phase == "speaking"]
    assert len(speaking) == pytest.approx(2000 / every_ms, abs=2)
    assert len(rig.got(wire.Levels, EYE)) == pytest.approx(20, abs=1)


def test_a_report_is_published_once_a_second_with_the_memory_to_a_tenth():
    rig = VoiceRig()
    rig.voice._memory_mb = lambda: 31.26
    rig.step(5000)
    reports = [message for message in rig.published if isinstance(message, bus.VoiceHealth)]
    assert len(reports) == 5
    assert {report.pss_mb for report in reports} == {31.3}
