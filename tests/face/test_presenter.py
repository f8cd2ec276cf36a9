"""Poses against time, on a manual clock with the headless renderer."""

from dataclasses import replace

import numpy as np
import pytest

from mien.core import bus
from mien.core.pose import SPEECH_INDICES
from mien.face.director import Director
from mien.face.presenter import Presenter
from mien.render.headless import HeadlessRenderer
from rigs.engines import JAW
from rigs.face_rig import MS, FaceRig

SETTLED_MS = 200


def speaking(rig, *, epoch=1, length_ms=2000):
    rig.anchor(epoch=epoch)
    rig.speech(epoch=epoch, to_ms=length_ms)
    rig.anchor(epoch=epoch, until_ms=length_ms, phase="speaking", turn="t")


def play(rig, ms):
    frames = []
    end_ns = rig.clock.now_ns() + ms * MS
    while rig.clock.now_ns() < end_ns:
        frames.append(rig.frame())
    return frames


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
    rig.frame()
    rig.speech(from_ms=0, to_ms=200)
    rig.state._timeline._tracks[-1]._ring[0, JAW] = 0.3
    rig.anchor(phase="preroll")
    play(rig, SETTLED_MS)
    assert rig.frame()[1][JAW] == pytest.approx(0.3, abs=1e-3)


def test_after_the_turn_the_mouth_comes_to_rest():
    rig = FaceRig()
    speaking(rig, length_ms=500)
    rig.end(length_ms=500)
    play(rig, 500)
    rig.anchor(media_ms=500, until_ms=500, phase="idle")
    play(rig, SETTLED_MS)
    assert rig.frame()[1][JAW] < 1e-3


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
        rig.frame()
    assert rig.presenter._state_name() == "disconnected"
    assert np.abs(rig.frame()[1][JAW]) < 1e-3
    speaking(rig, epoch=7)
    play(rig, 500)
    assert rig.frame()[1][JAW] > 0.03


def test_state_emotion_and_gesture_reach_the_director():
    rig = FaceRig()
    rig.anchor()
    calm = rig.frame()[1].copy()
    rig.hear(bus.Expression(epoch=1, state="listening", emotion="happy", intensity=1.0, look_x=1.0, look_y=0.0))
    rig.hear(bus.GestureCue(epoch=1, name="nod"))
    for _ in range(40):
        rig.anchor()
        pose = rig.frame()[1]
    assert np.abs(pose - calm).max() > 0.2
    assert rig.take_gestures() == []


def test_a_late_frame_counts_as_missed_and_the_next_is_in_step():
    rig = FaceRig()
    speaking(rig)
    play(rig, 300)
    rig.clock.advance_ms(95)
    seen_ns, pose = rig.frame()
    seen_ns, pose = rig.frame()
    assert rig.pacer.missed >= 3
    assert pose[JAW] * 1000 * 10 * MS == pytest.approx(seen_ns - 10**9, abs=0.1 * MS)


def test_speech_shapes_rest_when_nobody_speaks():
    rig = FaceRig()
    rig.anchor()
    for _ in range(100):
        rig.anchor()
        pose = rig.frame()[1]
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
    rig.state._prosody._tracks[-1]._ring[25, 0] = 0.9  # at 500 ms
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
    assert rig.presenter._state_name() == "audio_only"
    assert np.abs(rig.frame()[1][JAW]) < 1e-3
    rig.speech(from_ms=2800, to_ms=4000)
    rig.anchor(media_ms=3000, until_ms=4000, phase="speaking", turn="t")
    play(rig, 100)
    assert not rig.presenter.motion_lost
    assert rig.presenter._state_name() == "speaking"


class Display(HeadlessRenderer):
    """A display that waits for its refresh, and a face that takes draw_ms to draw."""

    def __init__(self, clock, *, draw_ms, period_ns, vsync):
        super().__init__(64, 64, clock)
        self.info = replace(self.info, vsync=vsync, refresh_ns=period_ns if vsync else 0)
        self._draw_ms, self._period_ns, self._vsync = draw_ms, period_ns, vsync

    def draw(self, pose):
        super().draw(pose)
        self._clock.advance_ms(self._draw_ms)

    def present(self):
        if self._vsync:
            self._clock.advance_ns(-self._clock.now_ns() % self._period_ns)
        super().present()


def on_display(*, vsync, draw_ms, idle_fps=0):
    rig = FaceRig()
    rig.renderer = Display(rig.clock, draw_ms=draw_ms, period_ns=20 * MS, vsync=vsync)
    rig.presenter = Presenter(
        state=rig.state,
        director=Director(seed=1),
        renderer=rig.renderer,
        pacer=rig.pacer,
        clock=rig.clock,
        display_latency_ms=0.0,
        counters=rig.counters,
        trace=rig.trace,
        idle_fps=idle_fps,
    )
    return rig


@pytest.mark.parametrize("vsync", [True, False])
def test_a_frame_costs_what_drawing_takes_and_not_the_wait_for_the_display(vsync):
    """With vsync the wait in present() is no cost. Without, present() waits for the rasteriser, which is a cost."""
    rig = on_display(vsync=vsync, draw_ms=6)
    rig.anchor()
    for _ in range(20):
        rig.presenter.step()
        if not vsync:
            rig.clock.advance_ns(rig.pacer.wait_ns(rig.clock.now_ns()))
    assert rig.presenter._cost.estimate_ns == pytest.approx(6 * MS, abs=0.2 * MS)
    assert rig.pacer.missed == 0


def test_without_vsync_what_present_takes_is_cost():
    rig = on_display(vsync=False, draw_ms=1)
    present = rig.renderer.present

    def slow():
        rig.clock.advance_ms(7)
        present()

    rig.renderer.present = slow
    rig.anchor()
    for _ in range(60):
        rig.presenter.step()
        rig.clock.advance_ns(rig.pacer.wait_ns(rig.clock.now_ns()))
    assert rig.presenter._cost.estimate_ns == pytest.approx(8 * MS, abs=0.5 * MS)


def test_after_a_rest_the_first_flip_does_not_tell_the_displays_clock():
    """Such a flip returns at once, at any time between two refreshes."""
    rig = on_display(vsync=True, draw_ms=1, idle_fps=12)
    rig.anchor()
    told = []
    presented = rig.pacer.presented

    def noted(now_ns, vsync):
        told.append(vsync)
        return presented(now_ns, vsync)

    rig.pacer.presented = noted
    for _ in range(400):
        rested = rig.presenter._rested
        count = len(told)
        rig.presenter.step()
        if len(told) > count:
            assert told[-1] is not rested
        rig.clock.advance_ns(max(0, rig.presenter.next_step_ns - rig.clock.now_ns()))
        rig.state.voice_alive(rig.clock.now_ns())
    assert {True, False} == set(told)


def test_motion_that_is_late_is_shown_for_four_tenths_of_a_second_and_told_as_late():
    """The newest motion frame is shown, and the offset reports its age."""
    rig = FaceRig()
    rig.anchor()
    rig.speech(to_ms=1000)
    ages = []
    for at_ms in range(0, 1400, 20):
        rig.anchor(media_ms=at_ms, until_ms=3000, phase="speaking", turn="t")
        rig.presenter.offsets_ms.clear()
        rig.frame()
        offset = rig.presenter.offsets_ms.median_and_abs_p95()
        ages.append(None if offset is None else round(-offset[0]))
    end_ms = round(rig.state.motion_end_ns / MS)
    late = [age for age in ages if age]
    assert late == list(range(late[0], late[0] + 20 * len(late), 20)), "each 20 ms older than the one before"
    assert 380 <= late[-1] <= 400
    assert ages[-1] is None
    assert ages.index(late[0]) * 20 == pytest.approx(end_ms, abs=20)


def test_a_paused_turn_moves_no_head_with_its_melody():
    """Prosody at the playhead belongs to audible speech, and there is none while paused."""
    rig = FaceRig()
    speaking(rig)
    given = []
    compose = rig.presenter._director.compose
    rig.presenter._director.compose = lambda *args: (given.append(args[-1] is not None), compose(*args))
    play(rig, 300)
    assert all(given[3:])
    rig.anchor(media_ms=300, until_ms=300, phase="paused", turn="t")
    given.clear()
    play(rig, 300)
    assert not any(given[1:])


def test_a_voice_that_is_silent_for_a_second_is_gone_and_one_that_is_not_is_there():
    rig = FaceRig()
    speaking(rig)
    rig.clock.advance_ms(990)
    rig.frame()
    assert rig.state.anchor is not None
    rig.clock.advance_ms(20)
    rig.frame()
    assert rig.state.anchor is None


def test_an_offset_is_measured_only_while_speech_runs():
    """Before it opens and at its end media time stands still, and says nothing of the frame."""
    rig = FaceRig()
    rig.anchor()
    rig.speech(to_ms=1000)
    for still in ({"in_ms": 500, "until_ms": 2000}, {"media_ms": 300, "until_ms": 300}):
        rig.anchor(phase="speaking", turn="t", **still)
        rig.frame()
        assert len(rig.presenter.offsets_ms) == 0
    rig.anchor(media_ms=300, until_ms=2000, phase="speaking", turn="t")
    rig.frame()
    assert len(rig.presenter.offsets_ms) == 1
