"""What is shown when, on a manual clock with the headless renderer."""

import numpy as np
import pytest

from mien.core import bus
from mien.core.pose import SPEECH_INDICES
from rigs.engines import JAW
from rigs.face_rig import MS, FaceRig

SETTLED_MS = 200


def speaking(rig, *, epoch=1, length_ms=2000):
    rig.anchor(epoch=epoch)
    rig.speech(epoch=epoch, to_ms=length_ms)
    rig.anchor(epoch=epoch, until_ms=length_ms, phase="speaking", turn="t")


def play(rig, ms):
    pictures = []
    end_ns = rig.clock.now_ns() + ms * MS
    while rig.clock.now_ns() < end_ns:
        pictures.append(rig.picture())
    return pictures


def test_the_pose_is_the_one_of_the_moment_at_which_it_is_seen():
    rig = FaceRig()
    start_ns = rig.clock.now_ns()
    speaking(rig)
    for seen_ns, pose in play(rig, 900)[10:]:
        assert pose[JAW] * 1000 * 10 * MS == pytest.approx(seen_ns - start_ns, abs=0.1 * MS)
    assert rig.presenter.offsets_ms.median_and_abs_p95() == pytest.approx((0.0, 0.0), abs=0.01)


def test_on_an_underrun_the_face_holds_still():
    rig = FaceRig()
    speaking(rig, length_ms=500)
    play(rig, 600)
    rig.anchor(media_ms=500, until_ms=500, phase="stalled", turn="t")
    shown = [pose[JAW] for _, pose in play(rig, 500)]
    assert max(shown) - min(shown) < 1e-6
    assert shown[0] == pytest.approx(0.047, abs=0.003)  # the last final frame: two of lookahead are owed


def test_before_the_turn_opens_the_lips_go_to_its_first_sound():
    rig = FaceRig()
    rig.anchor()
    rig.picture()
    rig.speech(from_ms=0, to_ms=200)
    rig.score.timeline._tracks[-1]._ring[0, JAW] = 0.3
    rig.anchor(phase="preroll")
    play(rig, SETTLED_MS)
    assert rig.picture()[1][JAW] == pytest.approx(0.3, abs=1e-3)


def test_after_the_turn_the_mouth_comes_to_rest():
    rig = FaceRig()
    speaking(rig, length_ms=500)
    rig.end(length_ms=500)
    play(rig, 500)
    rig.anchor(media_ms=500, until_ms=500, phase="idle")
    play(rig, SETTLED_MS)
    assert rig.picture()[1][JAW] < 1e-3


def test_an_interrupt_shuts_the_mouth_without_a_jump_and_within_150_ms():
    rig = FaceRig(fps=50)
    speaking(rig)
    play(rig, 900)
    rig.anchor(epoch=2)
    shown = [pose[JAW] for _, pose in play(rig, 160)]
    steps = np.abs(np.diff([0.09, *shown]))
    assert steps.max() < 0.05
    assert shown[7] < 0.003


def test_without_a_voice_the_face_is_disconnected_and_at_rest_then_rejoins():
    rig = FaceRig()
    speaking(rig)
    play(rig, 500)
    for _ in range(80):
        rig.picture()
    assert rig.presenter._state() == "disconnected"
    assert np.abs(rig.picture()[1][JAW]) < 1e-3
    speaking(rig, epoch=7)
    play(rig, 500)
    assert rig.picture()[1][JAW] > 0.03


def test_state_emotion_and_gesture_reach_the_director():
    rig = FaceRig()
    rig.anchor()
    calm = rig.picture()[1].copy()
    rig.hear(bus.Expression(epoch=1, state="listening", emotion="happy", intensity=1.0, look_x=1.0, look_y=0.0))
    rig.hear(bus.GestureCue(epoch=1, name="nod"))
    for _ in range(40):
        rig.anchor()
        pose = rig.picture()[1]
    assert np.abs(pose - calm).max() > 0.2
    assert rig.score.take_gestures() == []


def test_a_late_picture_counts_as_missed_and_the_next_is_in_step():
    rig = FaceRig()
    speaking(rig)
    play(rig, 300)
    rig.clock.advance_ms(95)
    seen_ns, pose = rig.picture()
    seen_ns, pose = rig.picture()
    assert rig.pacer.missed >= 3
    assert pose[JAW] * 1000 * 10 * MS == pytest.approx(seen_ns - 10**9, abs=0.1 * MS)


def test_speech_shapes_rest_when_nobody_speaks():
    rig = FaceRig()
    rig.anchor()
    for _ in range(100):
        rig.anchor()
        pose = rig.picture()[1]
        assert np.abs(pose[SPEECH_INDICES]).max() < 0.25


def test_how_it_is_said_reaches_the_director_in_step_and_stops_with_the_speech(monkeypatch):
    rig, heard = FaceRig(), []
    compose = rig.presenter._director.compose
    monkeypatch.setattr(
        rig.presenter._director, "compose",
        lambda now, state, speech, out, prosody=None: (
            heard.append(None if prosody is None else prosody.copy()), compose(now, state, speech, out, prosody)
        ),
    )  # fmt: skip
    rig.anchor()
    rig.speech(to_ms=1000)
    rig.score.prosody._tracks[-1]._ring[25, 0] = 0.9  # at 500 ms
    start_ns = rig.clock.now_ns()
    rig.anchor(until_ms=1000, phase="speaking", turn="t")
    seen_ns = np.array([seen for seen, _ in play(rig, 900)])
    stress = np.array([row[0] for row in heard])
    assert abs(seen_ns[stress.argmax()] - start_ns - 500 * MS) <= 20 * MS
    assert stress.max() > 0.4
    rig.anchor(media_ms=900, until_ms=1000, phase="paused", turn="t")
    play(rig, 60)
    assert heard[-1] is None
    rig.anchor(epoch=2)
    play(rig, 60)
    assert heard[-1] is None


def test_without_motion_the_face_rests_and_says_that_only_the_voice_is_left():
    rig = FaceRig()
    rig.anchor(epoch=1)
    rig.speech(to_ms=300)
    for at_ms in range(0, 3000, 100):
        rig.anchor(media_ms=at_ms, until_ms=at_ms + 500, phase="speaking", turn="t")
        play(rig, 100)
    assert rig.presenter.motion_lost
    assert rig.presenter._state() == "audio_only"
    assert np.abs(rig.picture()[1][JAW]) < 1e-3
    rig.speech(from_ms=2800, to_ms=4000)
    rig.anchor(media_ms=3000, until_ms=4000, phase="speaking", turn="t")
    play(rig, 100)
    assert not rig.presenter.motion_lost
    assert rig.presenter._state() == "speaking"
