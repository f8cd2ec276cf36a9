"""What an observer is told: state, captions, levels, health, pictures; and that nobody pays for it unasked."""

import pytest

from mien.core import bus, wire
from rigs.voice_rig import VoiceRig

EYE = b"eye"


@pytest.fixture
def rig():
    rig = VoiceRig()
    rig.hello()
    rig.say(wire.Hello(protocol=1, client="Eye", role="observer"), client=EYE)
    rig.step(50)
    return rig


def test_nothing_is_told_unasked(rig):
    rig.speak(ms=200)
    rig.step(400)
    assert {type(m) for owner, m in rig.sent if owner == EYE} == {wire.Welcome}


def test_state_follows_the_turn(rig):
    rig.say(wire.Subscribe(topics=("state",)), client=EYE)
    rig.step(10)
    rig.say(wire.State(state="thinking"))
    rig.step(10)
    rig.speak(ms=600)
    rig.step(1000)
    told = rig.got(wire.Status, EYE)
    assert [told[0].phase, told[0].state] == ["idle", "idle"]
    assert told[1].state == "thinking"
    speaking = [m for m in told if m.phase == "speaking"]
    assert {(m.client, m.turn) for m in speaking} == {("client", "t")}
    assert [m.played_ms for m in speaking] == sorted(m.played_ms for m in speaking)
    assert len(speaking) >= 3
    assert told[-1].phase == "idle"
    outcome = rig.got(wire.Outcome, EYE)[0]
    assert (outcome.client, outcome.turn, outcome.played_ms, outcome.reason) == ("client", "t", 600.0, "played")
    assert (outcome.latency_ms, outcome.stalls) == (rig.got(wire.Started)[0].latency_ms, 0)


def test_captions_are_passed_on_with_their_words(rig):
    rig.say(wire.Subscribe(topics=("captions",)), client=EYE)
    rig.say(wire.Caption(turn="t", text="Good day", words=(wire.Word("Good", 0, 10),)))
    said = rig.got(wire.Said, EYE)[0]
    assert (said.client, said.turn, said.text, said.words[0].text) == ("client", "t", "Good day", "Good")


def test_levels_say_how_loud_it_is_ten_times_a_second(rig):
    rig.say(wire.Subscribe(topics=("levels",)), client=EYE)
    rig.step(300)
    assert all(m.rms_dbfs == -100.0 for m in rig.got(wire.Levels, EYE))
    rig.sent.clear()
    rig.speak(ms=1000)
    rig.step(1000)
    told = rig.got(wire.Levels, EYE)
    assert 9 <= len(told) <= 11
    assert told[5].peak_dbfs == pytest.approx(-12.2, abs=0.2)  # the tone's 8000 of 32768
    assert told[5].rms_dbfs == pytest.approx(-15.3, abs=0.3)
    rig.say(wire.Subscribe(topics=()), client=EYE)
    assert not rig.playback.level_meter.on


def test_health_of_voice_and_face(rig):
    rig.say(wire.Subscribe(topics=("health",)), client=EYE)
    voice = bus.VoiceHealth(epoch=0, pid=1, level="full", clients=2, pss_mb=30.0, counters={"messages": 3})
    rig.voice.observers.health(voice, face_present=False)
    face = bus.FaceHealth(
        epoch=0,
        pid=2,
        level="full",
        fps=30.0,
        shown=100,
        missed=1,
        offset_median_ms=1.0,
        offset_p95_ms=4.0,
        motion_lead_ms=300.0,
        pss_mb=90.0,
        counters={},
        renderer="V3D",
        quality="full",
        screen="dim",
        brightness=0.3,
    )
    rig.voice.observers.face_health(face)
    rig.voice.observers.health(voice, face_present=True, ear="ok")
    without, complete = rig.got(wire.HealthReport, EYE)
    assert (without.face_fps, without.voice_pss_mb) == (None, 30.0)
    assert (complete.face_fps, complete.face_missed, complete.face_offset_p95_ms) == (30.0, 1, 4.0)
    assert (without.face_screen, without.face_pss_mb, without.ear_state) == (None, None, "absent")
    assert (complete.face_screen, complete.face_brightness, complete.face_pss_mb) == ("dim", 0.3, 90.0)
    assert (complete.face_renderer, complete.face_quality) == ("V3D", "full")
    assert (complete.ear_state, complete.ear_pss_mb) == ("ok", None)


def test_health_tells_what_waits_and_how_soon_speech_was_heard(rig):
    rig.say(wire.Subscribe(topics=("health",)), client=EYE)
    rig.step(1100)
    before = rig.got(wire.HealthReport, EYE)[-1]
    assert (before.queued_turns, before.queued_ms, before.first_sound_ms) == (0, 0.0, None)
    assert before.first_sound_p95_ms is None
    rig.speak("one", ms=800)
    rig.speak("two", ms=2000)
    rig.step(1100)
    during = rig.got(wire.HealthReport, EYE)[-1]
    assert during.queued_turns in (1, 2)
    assert 1500 < during.queued_ms < 2800
    rig.step(3000)
    first_ms, second_ms = (one.latency_ms for one in rig.got(wire.Started))
    assert second_ms > 700, "it waited behind the other, which says nothing about the voice"
    after = rig.got(wire.HealthReport, EYE)[-1]
    assert (after.first_sound_ms, after.first_sound_median_ms, after.first_sound_p95_ms) == (first_ms,) * 3
    rig.speak("three", ms=500)
    rig.say(wire.Interrupt())
    rig.speak("four", ms=500)  # while the other fades
    rig.step(2000)
    waits_ms = [first_ms, rig.got(wire.Started)[-1].latency_ms]
    after = rig.got(wire.HealthReport, EYE)[-1]
    assert after.first_sound_ms == waits_ms[1]
    assert after.first_sound_median_ms == pytest.approx(sum(waits_ms) / 2, abs=0.1)
    assert min(waits_ms) <= after.first_sound_p95_ms <= max(waits_ms)


def test_health_tells_the_state_and_memory_of_the_ear(rig):
    rig.say(wire.Subscribe(topics=("health",)), client=EYE)
    rig.ear_health("clipping", pss_mb=51.0, erle_db=24.5)
    rig.step(1100)
    told = rig.got(wire.HealthReport, EYE)[-1]
    assert (told.ear_state, told.ear_pss_mb, told.ear_echo_db) == ("clipping", 51.0, 24.5)


def test_a_thumbnail_is_asked_of_the_face_and_passed_on(rig):
    for _ in range(20):
        rig.say(wire.GetThumbnail(width=120), client=EYE)
        rig.step(5)
    asked = [m for m in rig.published if isinstance(m, bus.ThumbnailRequest)]
    assert [m.width for m in asked] == [120]
    rig.voice.observers.thumbnail(bus.Thumbnail(epoch=0, width=120, height=213, encoding="jpeg", data=b"picture"))
    picture = rig.got(wire.Thumbnail, EYE)
    assert [(m.width, m.height, m.encoding, m.data) for m in picture] == [(120, 213, "jpeg", b"picture")]


def test_without_a_face_the_wait_for_a_thumbnail_ends(rig):
    rig.say(wire.GetThumbnail(), client=EYE)
    rig.step(2500)
    assert rig.errors(EYE) == ["no_thumbnail"]
    assert 4 <= len([m for m in rig.published if isinstance(m, bus.ThumbnailRequest)]) <= 5


def test_a_picture_beyond_the_limit_is_not_passed_on(rig):
    rig.say(wire.GetThumbnail(), client=EYE)
    huge = bytes(wire.MAX_PICTURE_BYTES + 1)
    rig.voice.observers.thumbnail(bus.Thumbnail(epoch=0, width=96, height=96, encoding="rgb8", data=huge))
    assert not rig.got(wire.Thumbnail, EYE)
    assert rig.counters["thumbnails_too_large"] == 1


def test_an_observer_that_left_is_told_nothing_more(rig):
    rig.say(wire.Subscribe(), client=EYE)
    rig.voice.left(EYE)
    rig.sent.clear()
    rig.speak(ms=200)
    rig.step(400)
    assert not [m for owner, m in rig.sent if owner == EYE]
    assert not rig.playback.level_meter.on


def test_each_asker_gets_one_picture_and_later_askers_their_own_width(rig):
    rig.say(wire.GetThumbnail(width=300), client=EYE)
    rig.step(5)
    rig.voice.observers.thumbnail(bus.Thumbnail(epoch=0, width=300, height=533, encoding="jpeg", data=b"one"))
    rig.voice.observers.thumbnail(bus.Thumbnail(epoch=0, width=300, height=533, encoding="jpeg", data=b"two"))
    assert [m.data for m in rig.got(wire.Thumbnail, EYE)] == [b"one"]
    rig.step(3000)
    assert rig.errors(EYE) == []
    rig.say(wire.GetThumbnail(width=40), client=EYE)
    rig.step(5)
    assert [m.width for m in rig.published if isinstance(m, bus.ThumbnailRequest)] == [300, 40]


def test_who_asks_together_shares_the_widest(rig):
    rig.hello(client=b"other", role="observer")
    rig.say(wire.GetThumbnail(width=200), client=EYE)
    rig.say(wire.GetThumbnail(width=90), client=b"other")
    rig.step(5)
    assert [m.width for m in rig.published if isinstance(m, bus.ThumbnailRequest)] == [200]
    rig.voice.observers.thumbnail(bus.Thumbnail(epoch=0, width=200, height=355, encoding="jpeg", data=b"x"))
    assert len(rig.got(wire.Thumbnail, EYE)) == len(rig.got(wire.Thumbnail, b"other")) == 1


def test_a_picture_as_large_as_the_limit_is_passed_on(rig):
    rig.say(wire.GetThumbnail(), client=EYE)
    whole = bytes(wire.MAX_PICTURE_BYTES)
    rig.voice.observers.thumbnail(bus.Thumbnail(epoch=0, width=96, height=96, encoding="rgb8", data=whole))
    assert len(rig.got(wire.Thumbnail, EYE)[0].data) == wire.MAX_PICTURE_BYTES


def test_only_who_asked_for_a_topic_is_told_of_it(rig):
    rig.say(wire.Subscribe(topics=("levels",)), client=EYE)
    rig.say(wire.Caption(turn="t", text="hello"))
    rig.speak(ms=200)
    rig.step(400)
    assert {type(m) for owner, m in rig.sent if owner == EYE} == {wire.Welcome, wire.Levels}


def test_a_newcomer_is_told_how_things_stand(rig):
    rig.say(wire.Subscribe(topics=("state",)), client=EYE)
    rig.step(100)
    rig.hello(client=b"late", role="observer")
    rig.say(wire.Subscribe(topics=("state",)), client=b"late")
    rig.step(5)
    assert [m.phase for m in rig.got(wire.Status, b"late")] == ["idle"]


def test_a_status_is_sent_once_while_nothing_changes(rig):
    rig.say(wire.Subscribe(topics=("state",)), client=EYE)
    rig.step(1000)
    before = len(rig.got(wire.Status, EYE))
    rig.step(1000)
    assert before >= 1
    assert len(rig.got(wire.Status, EYE)) == before


def test_reports_of_the_face_reach_who_needs_them(rig):
    rig.say(wire.GetThumbnail(width=120), client=EYE)
    picture = bus.Thumbnail(epoch=0, width=120, height=213, encoding="jpeg", data=b"picture")
    rig.voice.report(bus.encode(picture))
    assert [told.data for told in rig.got(wire.Thumbnail, EYE)] == [b"picture"]
    noted = []
    rig.voice.preroll.note_ready = lambda *ready: noted.append(ready)
    rig.voice.report(bus.encode(bus.MotionReady(epoch=4, ready_ns=7)))
    assert noted == [(4, 7, rig.clock.now_ns())]
