"""What the engine does by the clock alone: keepalives, health reports, the face's presence, the sound card's return."""

from itertools import pairwise

import pytest

from mien.core import bus, wire
from mien.errors import SinkError
from rigs.voice_rig import RecordingSink, VoiceRig

EYE = b"eye"


def face_health(level="full", pid=41, **fields):
    """One report of a face, as a bus frame."""
    known = {
        "fps": 30.0,
        "shown": 30,
        "missed": 2,
        "offset_median_ms": 1.5,
        "offset_p95_ms": 7.5,
        "motion_lead_ms": 200.0,
        "pss_mb": 90.0,
        "counters": {},
    }
    return bus.encode(bus.FaceHealth(epoch=0, pid=pid, level=level, **{**known, **fields}))


def levels(rig, client=b"a"):
    return [(moved.old, moved.new) for moved in rig.got(wire.LevelChanged, client)]


def observed():
    """A rig whose health an observer has asked for."""
    rig = VoiceRig()
    rig.hello(client=EYE, role="observer")
    rig.say(wire.Subscribe(topics=("health",)), client=EYE)
    return rig


def test_every_client_gets_a_pong_every_two_seconds_that_answers_no_ping():
    rig = VoiceRig()
    rig.voice._keepalive_due_ns = 0
    rig.hello()
    rig.hello(client=b"b")
    rig.step(6100)
    for client in (b"a", b"b"):
        pongs = rig.got(wire.Pong, client)
        assert {pong.nonce for pong in pongs} == {0}  # clients count their pings from 1
        times_ns = [pong.now_ns for pong in pongs]
        assert [later - earlier for earlier, later in pairwise(times_ns)] == [2 * 10**9] * 3


def test_the_faces_report_reaches_the_observers_and_the_bus():
    rig = observed()
    rig.step(5)
    rig.voice.report(face_health())
    rig.step(1100)
    report = rig.got(wire.HealthReport, EYE)[-1]
    assert (report.face_fps, report.face_missed) == (30.0, 2)
    assert (report.face_offset_median_ms, report.face_offset_p95_ms) == (1.5, 7.5)
    assert [message.pid for message in rig.published if isinstance(message, bus.FaceHealth)] == [41]
    assert rig.got(wire.HealthReport, EYE)[0].face_fps is None


def test_health_is_reported_once_a_second_to_the_bus_and_to_observers():
    rig = observed()
    rig.step(5000)
    reports = [message for message in rig.published if isinstance(message, bus.VoiceHealth)]
    assert len(reports) == len(rig.got(wire.HealthReport, EYE)) == 5
    assert {(report.clients, report.device) for report in reports} == {(1, "open")}


@pytest.mark.parametrize("level", ["full", "envelope"])
def test_a_face_that_stops_reporting_is_lost_after_two_missed_reports(level):
    rig = VoiceRig()
    rig.hello()
    rig.step(5)
    rig.voice.report(face_health(level))
    rig.step(2400)
    seen = levels(rig)
    assert seen[-1][1] == level
    rig.step(1100)
    assert levels(rig)[len(seen) :] == [(level, "audio_only")]
    assert "stopped reporting" in rig.got(wire.LevelChanged)[-1].why
    rig.step(5000)
    assert len(levels(rig)) == len(seen) + 1


def test_after_a_loss_the_health_report_no_longer_has_the_faces_figures():
    rig = observed()
    rig.step(5)
    rig.voice.report(face_health())
    rig.step(4000)
    assert rig.got(wire.HealthReport, EYE)[-1].face_fps is None


class Pulled:
    """Opens devices that are pulled out and put back by the test."""

    def __init__(self, rig_device=RecordingSink):
        self.there = True
        self.opened = []
        self._device = rig_device

    def __call__(self, config, clock):
        if not self.there:
            raise SinkError("no card")
        self.opened.append(self._device(clock, config.rate_hz, config.rate_hz // 20))
        return self.opened[-1]

    def pull(self):
        self.there = False

        def lost(*_):
            raise SinkError("unplugged")

        self.opened[-1].delay_frames = lost


@pytest.fixture
def pulled():
    """A rig whose card is pulled out in the middle of a turn."""
    cards, rig = Pulled(), VoiceRig(wake_ms=200)
    rig.voice.sinks._opener = cards
    rig.voice.sinks.reopen()
    rig.playback.use_sink(rig.voice.sinks.sink, audible=True)
    rig.hello()
    rig.step(50)
    rig.cards = cards
    return rig


def test_a_card_that_is_back_is_not_used_before_the_turn_is_over(pulled):
    pulled.speak("lost", ms=5000)
    pulled.step(100)
    pulled.cards.pull()
    pulled.step(50)
    assert levels(pulled) == [("audio_only", "silent")]
    pulled.cards.there = True
    pulled.step(4000)
    assert len(pulled.cards.opened) == 1
    pulled.step(3000)
    assert [(message.turn, message.reason) for message in pulled.got(wire.Finished)] == [("lost", "sink_lost")]
    assert levels(pulled)[1:] == [("silent", "audio_only")]
    assert len(pulled.cards.opened) == 2


def test_a_card_that_is_back_gets_its_silence_before_the_first_word(pulled):
    """An HDMI sink swallows the beginning of what it gets first."""
    pulled.cards.pull()
    pulled.step(1100)
    pulled.cards.there = True
    while len(pulled.cards.opened) == 1:
        pulled.step()
    pulled.speak("heard", ms=100)
    pulled.step(500)
    written = pulled.cards.opened[-1].pcm
    assert next(at for at, sample in enumerate(written) if sample) == 16 * 200 + 1  # a sine begins with 0
    assert [(message.turn, message.reason) for message in pulled.got(wire.Finished)] == [("heard", "played")]


def test_a_lost_card_is_tried_every_two_seconds(pulled):
    tried = []
    opener = pulled.voice.sinks._opener
    pulled.voice.sinks._opener = lambda config, clock: tried.append(clock.now_ns()) or opener(config, clock)
    pulled.cards.pull()
    pulled.step(9000)
    assert len(tried) >= 3
    assert {later - earlier for earlier, later in pairwise(tried)} == {2 * 10**9}


def test_closing_finishes_every_turn_with_the_reason_shutdown():
    rig = VoiceRig()
    rig.hello()
    rig.speak("complete", ms=200)
    rig.speak("open", ms=200, end=False)
    rig.step(100)
    heard_ms = rig.queue.turns[0].played_ms
    rig.voice.close()
    told = [(message.turn, message.reason, message.interrupted) for message in rig.got(wire.Finished)]
    assert told == [("complete", "shutdown", True), ("open", "shutdown", True)]
    assert [message.played_ms for message in rig.got(wire.Finished)] == [heard_ms, 0.0]
    assert heard_ms > 0
    with pytest.raises(SinkError):
        rig.sink.delay_frames()


def test_sessions_that_nobody_can_claim_are_forgotten():
    rig = VoiceRig()
    rig.hello()
    rig.speak(ms=100)
    rig.voice.left(b"a")
    assert len(rig.voice.orphans) == 1
    rig.step(59_000)
    assert len(rig.voice.orphans) == 1
    rig.step(3000)
    assert len(rig.voice.orphans) == 0


def test_an_idle_voice_publishes_an_anchor_four_times_a_second():
    """A face that starts needs one, and one that runs follows the clock by them."""
    rig = VoiceRig()
    rig.step(3000)
    rig.published.clear()
    rig.step(2000)
    anchors = [message for message in rig.published if isinstance(message, bus.Anchor)]
    assert len(anchors) == 8
    assert {anchor.phase for anchor in anchors} == {"idle"}


def test_the_bus_names_the_session_of_the_newest_client_that_may_speak():
    rig = VoiceRig()
    rig.step(1100)
    rig.hello()
    rig.hello(client=b"newer")
    rig.hello(client=EYE, role="observer")
    rig.step(1100)
    named = [message.session for message in rig.published if isinstance(message, bus.VoiceHealth)]
    assert (named[0], named[-1]) == ("", rig.got(wire.Welcome, b"newer")[0].session)


def test_a_face_that_joins_a_voice_to_which_nobody_has_spoken_is_told_that_all_is_at_rest():
    rig = VoiceRig()
    rig.voice.joined()
    of_epoch_0 = [bus.Choices(epoch=0, number=0), bus.ScreenOrder(epoch=0), bus.AttendSign(epoch=0)]
    kinds = tuple(type(message) for message in of_epoch_0)
    assert [message for message in rig.published if isinstance(message, kinds)] == of_epoch_0
