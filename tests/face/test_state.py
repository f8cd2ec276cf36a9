"""The shared state: one read gives one consistent frame, into a snapshot that is reused."""

import sys
import threading

import numpy as np

from mien.core import bus
from mien.face.state import MAX_CUES, MAX_GESTURES, VOICE_TIMEOUT_NS, CueStore, FaceState, Snapshot
from mien.units import NS_PER_MS, NS_PER_S

HZ = 100


def anchor(*, epoch: int = 1, media_ns: int = 0, phase: bus.Phase = "speaking") -> bus.Anchor:
    return bus.Anchor(epoch=epoch, media_ns=media_ns, at_ns=0, until_ns=NS_PER_S, phase=phase)


def speaking(*, epoch: int = 1, jaw: float = 0.5) -> FaceState:
    state = FaceState(frame_hz=HZ)
    state.voice_alive(0)
    fill(state, epoch, jaw)
    return state


def fill(state: FaceState, epoch: int, jaw: float) -> None:
    state.take_anchor(anchor(epoch=epoch))
    state.begin_turn(0)
    state.append(np.full((HZ, 55), jaw, np.float32), np.full((50, 5), jaw, np.float32))


def test_a_read_fills_the_snapshot() -> None:
    state, shot = speaking(), Snapshot()
    state.read(0, 300 * NS_PER_MS, shot)
    assert (shot.epoch, shot.media_ns, shot.shown_ns, shot.live, shot.heard) == (1, 3 * 10**8, 3 * 10**8, True, True)
    assert (shot.pose[:55] == 0.5).all()
    assert (shot.prosody == 0.5).all()


def test_the_arrays_of_a_snapshot_are_reused() -> None:
    state, shot = speaking(), Snapshot()
    pose, prosody = shot.pose, shot.prosody
    state.read(0, 0, shot)
    assert shot.pose is pose
    assert shot.prosody is prosody
    assert shot.motion_row.base is pose


def test_gestures_are_taken_once_in_order_and_bounded() -> None:
    state, shot = speaking(), Snapshot()
    added = [state.add_gesture(f"{number}") for number in range(MAX_GESTURES + 1)]
    assert added == [True] * MAX_GESTURES + [False]
    state.read(0, 0, shot)
    assert shot.gestures == [f"{number}" for number in range(MAX_GESTURES)]
    state.read(0, 0, shot)
    assert shot.gestures == []


def test_while_paused_the_pose_is_live_and_no_prosody_is_heard() -> None:
    state, shot = speaking(), Snapshot()
    state.take_anchor(anchor(phase="paused"))
    state.read(0, 0, shot)
    assert (shot.live, shot.heard) == (True, False)
    assert state.lead_ns(0) is None
    assert state.speaking


def test_a_silent_voice_is_forgotten() -> None:
    state, shot = speaking(), Snapshot()
    state.read(VOICE_TIMEOUT_NS, 0, shot)
    assert shot.anchor is not None
    state.read(VOICE_TIMEOUT_NS + 1, 0, shot)
    assert (shot.anchor, shot.epoch, shot.live) == (None, -1, False)
    assert (state.anchor, state.epoch, state.buffered_ns, state.speaking) == (None, -1, 0, False)


def test_a_snapshot_never_mixes_two_epochs() -> None:
    """The motion of epoch n holds n / 1000; a writer renews the epoch while a reader samples it."""
    state, shot, stop = speaking(epoch=1, jaw=0.001), Snapshot(), threading.Event()

    def renew() -> None:
        for epoch in range(2, 300):
            fill(state, epoch, epoch / 1000)
        stop.set()

    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        writer = threading.Thread(target=renew)
        writer.start()
        while not stop.is_set():
            state.read(0, 0, shot)
            if shot.live:
                assert shot.pose[0] == np.float32(shot.epoch / 1000)
        writer.join()
    finally:
        sys.setswitchinterval(interval_s)


def test_motion_and_prosody_of_a_turn_that_was_joined_late_lie_at_the_same_time() -> None:
    state, shot = FaceState(frame_hz=HZ), Snapshot()
    state.voice_alive(0)
    state.take_anchor(bus.Anchor(epoch=1, media_ns=0, at_ns=0, until_ns=3 * NS_PER_S, phase="speaking"))
    state.begin_turn(0, offset=16000)  # its first second was missed
    motion = np.arange(100, dtype=np.float32)[:, None] / 100 * np.ones((1, 55), np.float32)
    prosody = np.arange(50, dtype=np.float32)[:, None] / 50 * np.ones((1, 5), np.float32)
    state.append(motion, prosody)
    state.read(0, 1500 * NS_PER_MS, shot)
    np.testing.assert_allclose(shot.pose[:55], 0.5, atol=1e-5)
    np.testing.assert_allclose(shot.prosody, 0.5, atol=1e-5)


def test_of_more_cues_than_are_kept_the_oldest_goes() -> None:
    cues = CueStore()
    for number in range(MAX_CUES + 1):
        cues.take(bus.CaptionCue(epoch=1, turn=f"t{number}", text="x", turn_start_ns=number))

    def heard(number: int) -> bus.CaptionCue | None:
        at = bus.Anchor(epoch=1, media_ns=99, at_ns=0, until_ns=99, phase="speaking", turn=f"t{number}")
        return cues.heard(at, 99)

    assert heard(0) is None
    assert all(heard(number) for number in range(1, MAX_CUES + 1))


def test_what_comes_next_is_the_nearest_turn_of_this_epoch_that_has_not_begun() -> None:
    cues = CueStore()
    for turn, start_ns in (("past", 1), ("far", 9), ("near", 5)):
        cues.take(bus.CaptionCue(epoch=1, turn=turn, text="x", turn_start_ns=start_ns))
    assert cues.coming(None, 0) is None
    assert cues.coming(anchor(epoch=2), 0) is None

    def coming(media_ns: int) -> str | None:
        cue = cues.coming(anchor(), media_ns)
        return cue and cue.turn

    assert [coming(media_ns) for media_ns in (1, 2, 5, 6, 10)] == ["past", "near", "near", "far", None]
