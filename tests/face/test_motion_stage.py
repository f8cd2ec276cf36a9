"""Bus messages to timeline, in any order that a bus can deliver."""

import numpy as np
import pytest

from mien.core import bus
from mien.errors import BusError, ModelError
from mien.face.motion_stage import MAX_WAITING_BYTES
from mien.motion.guidance import GuideReport
from rigs.engines import JAW, CountingEngine
from rigs.face_rig import MS, FaceRig


def jaw_at(rig, media_ms):
    out = np.zeros(55, np.float32)
    return float(out[JAW]) if rig.state._timeline.sample(media_ms * MS, out) else None


def test_motion_lands_on_the_media_clock_and_readiness_is_reported():
    rig = FaceRig()
    rig.anchor(until_ms=0)
    rig.speech(to_ms=200)
    assert jaw_at(rig, 100) == pytest.approx(0.010)
    assert rig.reports[-1] == bus.MotionReady(epoch=1, ready_ns=180 * MS)
    rig.end(length_ms=200)
    assert rig.reports[-1].ready_ns == 200 * MS


def test_a_second_turn_starts_a_stream_of_its_own():
    rig = FaceRig()
    rig.anchor()
    rig.speech(turn="one", to_ms=100)
    rig.end(turn="one", length_ms=100)
    rig.speech(turn="two", start_ms=105, to_ms=100)
    assert jaw_at(rig, 50) == pytest.approx(0.005)
    assert jaw_at(rig, 105 + 30) == pytest.approx(0.003)


def test_a_replay_changes_nothing():
    rig = FaceRig()
    rig.anchor()
    rig.speech(to_ms=200)
    before = rig.state.motion_end_ns
    rig.speech(from_ms=0, to_ms=100)
    assert rig.state.motion_end_ns == before


def test_a_face_that_joins_in_mid_turn_is_in_step():
    rig = FaceRig()
    rig.anchor(media_ms=500, until_ms=2000, phase="speaking")
    rig.speech(from_ms=400, to_ms=800)
    assert jaw_at(rig, 400) == pytest.approx(0.0)
    assert jaw_at(rig, 500) == pytest.approx(0.010)
    assert rig.counters["joined_mid_turn"] == 1


def test_a_gap_on_the_bus_restarts_the_stream_at_the_right_place():
    rig = FaceRig()
    rig.anchor()
    rig.speech(to_ms=100)
    rig.speech(from_ms=300, to_ms=500)
    assert jaw_at(rig, 400) == pytest.approx(0.010)


def test_a_new_epoch_forgets_and_stale_speech_is_counted():
    rig = FaceRig()
    rig.anchor(epoch=1)
    rig.speech(epoch=1, to_ms=500)
    rig.anchor(epoch=2)
    assert jaw_at(rig, 100) is None
    rig.speech(epoch=1, from_ms=500, to_ms=600)
    assert rig.counters["stale_speech"] == 5
    rig.anchor(epoch=1)
    assert rig.state.epoch == 2
    rig.speech(epoch=2, to_ms=100)
    assert jaw_at(rig, 50) == pytest.approx(0.005)


def test_an_engine_that_breaks_is_replaced_and_counted():
    rig = FaceRig(engine=CountingEngine(fail_after=1600))
    rig.anchor()
    rig.speech(to_ms=400)
    assert rig.stage.backend == "envelope"
    assert rig.counters["engine_failed"] == 1
    assert rig.state.motion_end_ns > 0


def test_a_bus_of_another_version_is_an_error_that_says_what_to_do():
    rig = FaceRig()
    with pytest.raises(BusError, match="one release"):
        rig.stage.take([b"\x09" + bus.encode(bus.MotionReady(epoch=1, ready_ns=0))[1:]], 0)
    with pytest.raises(BusError):
        rig.stage.take([b""], 0)


def test_anchors_overtake_queued_speech():
    rig = FaceRig()
    rig.anchor()
    message = bus.encode(bus.Speech(epoch=1, turn="t", turn_start_ns=0, offset=0))
    rig.stage.take([message, bytes(640)], 0)
    rig.stage.take([bus.encode(bus.Anchor(epoch=1, media_ns=5, at_ns=0, until_ns=9, phase="speaking"))], 0)
    assert rig.state.anchor.phase == "speaking"
    assert rig.stage.backlog == 1
    rig.stage.work()
    assert rig.stage.backlog == 0


def test_waiting_speech_is_bounded_and_counted():
    rig = FaceRig()
    rig.anchor()
    for number in range(500):
        message = bus.encode(bus.Speech(epoch=1, turn="t", turn_start_ns=0, offset=number * 320))
        rig.stage.take([message, bytes(640)], 0)
    assert rig.stage.backlog == 400
    assert rig.counters["speech_dropped"] == 100
    assert rig.stage._waiting[0][0].offset == 100 * 320  # the oldest went
    while rig.stage.backlog:
        rig.stage.work()
    assert rig.state.motion_end_ns == (500 * 20 - 20) * MS


def test_speech_that_waits_is_bounded_in_bytes_too_whatever_its_blocks():
    rig = FaceRig()
    rig.anchor()
    block = MAX_WAITING_BYTES // 8
    for number in range(20):
        message = bus.encode(bus.Speech(epoch=1, turn="t", turn_start_ns=0, offset=number * block // 2))
        rig.stage.take([message, bytes(block)], 0)
    assert rig.stage.backlog == 8
    assert rig.counters["speech_dropped"] == 12
    assert rig.stage._waiting[0][0].offset == 12 * block // 2
    while rig.stage.backlog:
        rig.stage.work()
    assert rig.stage._waiting_bytes == 0
    rig.stage.take([bus.encode(bus.Speech(epoch=1, turn="u", turn_start_ns=9, offset=0)), bytes(MAX_WAITING_BYTES)], 0)
    assert rig.stage.backlog == 1


@pytest.mark.parametrize("size", [1, 641, MAX_WAITING_BYTES + 2])
def test_a_malformed_payload_is_refused_without_touching_the_queue(size):
    rig = FaceRig()
    rig.anchor()
    rig.stage.take([bus.encode(bus.Speech(epoch=1, turn="t", turn_start_ns=0, offset=0)), bytes(640)], 0)
    with pytest.raises(BusError, match=f"speech of {size} bytes"):
        rig.stage.take([bus.encode(bus.Speech(epoch=1, turn="t", turn_start_ns=0, offset=320)), bytes(size)], 0)
    assert rig.stage.backlog == 1
    assert rig.counters["speech_dropped"] == 0


def test_speech_of_an_unknown_epoch_is_stale_too():
    """It may come from a restarted voice whose media time is not known yet."""
    rig = FaceRig()
    rig.anchor(epoch=5)
    rig.speech(epoch=6, to_ms=100)
    assert rig.counters["stale_speech"] == 5
    assert jaw_at(rig, 50) is None
    assert not [report for report in rig.reports if isinstance(report, bus.MotionReady)]


def test_a_replay_of_an_older_turn_does_not_undo_the_newer_one():
    """A replay for a new subscriber reaches all of them, older turns first."""
    rig = FaceRig()
    rig.anchor()
    rig.speech(turn="one", to_ms=100)
    rig.end(turn="one", length_ms=100)
    rig.speech(turn="two", start_ms=105, to_ms=200)
    end_ns, reports = rig.state.motion_end_ns, len(rig.reports)
    rig.speech(turn="one", to_ms=100)
    rig.end(turn="one", length_ms=100)
    assert (rig.state.motion_end_ns, len(rig.reports)) == (end_ns, reports)
    rig.speech(turn="two", start_ms=105, from_ms=200, to_ms=300)
    assert rig.counters["joined_mid_turn"] == 0, "the stream went on where it was"
    assert jaw_at(rig, 105 + 250) == pytest.approx(0.025)


def test_gestures_are_kept_in_order_until_there_are_eight_and_then_counted():
    rig = FaceRig()
    rig.anchor()
    names = ["nod", "shake", "wink", "smile"] * 3
    for name in names:
        rig.hear(bus.GestureCue(epoch=1, name=name))
    assert rig.counters["gestures_dropped"] == 4
    assert rig.take_gestures() == names[:8]
    rig.hear(bus.GestureCue(epoch=1, name="nod"))
    assert rig.take_gestures() == ["nod"]
    assert rig.counters["gestures_dropped"] == 4


def test_prosody_lies_beside_the_poses_from_any_place_of_a_turn_and_goes_with_them():
    rig = FaceRig()
    rig.anchor()
    rig.speech(from_ms=400, to_ms=1000)
    timeline, prosody = rig.state._timeline, rig.state._prosody
    assert (prosody._tracks[-1].origin_ns, prosody._tracks[-1]._begin) == (0, 20)
    assert abs(timeline.end_ns - prosody.end_ns) <= 20 * MS
    rig.end(length_ms=1000)
    assert timeline.end_ns == prosody.end_ns == 1000 * MS
    rig.speech(turn="u", start_ms=1000, to_ms=200)
    assert prosody._tracks[-1].origin_ns == 1000 * MS
    rig.anchor(epoch=2)
    assert not prosody.sample(0, np.zeros(5, np.float32))


class TestPhones:
    """What the engine is told of the words of its turn."""

    def cue(self, rig, *words, turn="t", first=0, start_ms=0):
        timed = tuple((word, None, None) for word in words)
        message = bus.PhoneCue(epoch=1, turn=turn, turn_start_ns=start_ms * MS, first=first, words=timed)
        rig.stage.take([bus.encode(message)], 0)

    def told(self, engine):
        return [" ".join(word.phones) for word in engine.words]

    def test_of_a_turn_are_given_when_it_begins_and_later_ones_at_once(self):
        rig = FaceRig(engine=(engine := CountingEngine()))
        rig.anchor()
        self.cue(rig, "h aɪ", "ð ɛ")
        assert self.told(engine) == []
        rig.speech(to_ms=100)
        assert self.told(engine) == ["h aɪ", "ð ɛ"]
        self.cue(rig, "m a", first=2)
        assert self.told(engine) == ["h aɪ", "ð ɛ", "m a"]

    def test_of_another_turn_wait_for_it(self):
        rig = FaceRig(engine=(engine := CountingEngine()))
        rig.anchor()
        rig.speech(turn="one", to_ms=100)
        self.cue(rig, "m a", turn="two", start_ms=105)
        assert self.told(engine) == []
        rig.end(turn="one", length_ms=100)
        rig.speech(turn="two", start_ms=105, to_ms=100)
        assert self.told(engine) == ["m a"]

    def test_of_a_turn_that_is_joined_in_the_middle_are_not_given(self):
        rig = FaceRig(engine=(engine := CountingEngine()))
        rig.anchor(media_ms=500, until_ms=2000, phase="speaking")
        self.cue(rig, "m a")
        rig.speech(from_ms=400, to_ms=800)
        self.cue(rig, "m a", first=1)
        assert self.told(engine) == []

    def test_are_counted_when_their_turn_ends(self):
        rig = FaceRig(engine=(engine := CountingEngine()))
        rig.anchor()
        self.cue(rig, "m a")
        rig.speech(to_ms=100)
        engine.guided = GuideReport(words=1, unknown=2, untimed=3, dropped=4, frames=10, trusted=7)
        rig.end(length_ms=100)
        names = ("guided_turns", "guided_frames", "unguided_frames", "phones_ignored", "phone_times_ignored")
        assert [rig.counters[name] for name in names] == [1, 7, 3, 6, 3]


@pytest.mark.parametrize(
    ("message", "presence"),
    [
        (bus.CaptionCue(epoch=1, turn="t", text="x"), True),
        (bus.Choices(epoch=1, number=1, items=(("yes", "Yes"),)), False),
        (bus.ScreenOrder(epoch=1, power="off"), False),
        (bus.AttendSign(epoch=1, listening=True), False),
        (bus.PresenceCue(epoch=1), True),
        (bus.PoseOrders(epoch=1, wanted=True), False),
        (bus.ThumbnailRequest(epoch=1, width=96), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_changes_the_screen_wakes_the_drawing_and_some_of_it_the_screen(message, presence):
    rig = FaceRig()
    rig.anchor()
    woken = []
    rig.stage._on_change = woken.append
    rig.hear(message)
    assert woken == [presence]


def test_buttons_and_watchers_are_served_in_a_hurry():
    for message in (bus.Choices(epoch=1, number=1, items=(("yes", "Yes"),)), bus.PoseOrders(epoch=1, wanted=True)):
        rig = FaceRig()
        rig.anchor()
        assert not rig.stage.hurried
        rig.hear(message)
        assert rig.stage.hurried


def test_how_far_motion_is_ahead_of_the_anchor():
    rig = FaceRig()
    assert rig.stage.buffered_ns == 0
    rig.anchor(media_ms=100)
    rig.speech(to_ms=400)
    assert rig.stage.buffered_ns == 280 * MS  # of 400 ms, 20 are still awaited, and the anchor is at 100


def test_an_error_of_our_own_is_no_reason_to_change_the_engine():
    class Broken(CountingEngine):
        def push(self, pcm):
            raise ModelError("a model that does not fit")

    rig = FaceRig(engine=Broken())
    rig.anchor()
    with pytest.raises(ModelError, match="a model that does not fit"):
        rig.speech(to_ms=20)
    assert (rig.stage.backend, rig.counters["engine_failed"]) == ("tflite", 0)
