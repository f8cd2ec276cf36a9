"""Attention to the customer: what their sound makes of the face, on a manual clock."""

from collections.abc import Iterator

import numpy as np
import pytest

from mien.config import Config
from mien.core import bus
from mien.core.pose import CHANNEL_INDEX, new_pose
from mien.face.attention import STAYS_IN_PAUSE_NS, STAYS_NS, Attention
from mien.face.director import Director
from mien.face.overlay.annotations import Annotations
from mien.face.presenter import Presenter
from mien.units import NS_PER_MS, NS_PER_S
from rigs.face_rig import FaceRig

START_NS = 5_000 * NS_PER_S
PITCH = CHANNEL_INDEX["headPitch"]
BROW = CHANNEL_INDEX["browInnerUp"]
FRAME_NS = NS_PER_S // 50


def frames(director: Director, from_s: float, to_s: float, state: str = "idle") -> Iterator[tuple[float, np.ndarray]]:
    """(time, pose) at 50 frames a second."""
    out = new_pose()
    for number in range(round(from_s * 50), round(to_s * 50)):
        director.compose(START_NS + number * FRAME_NS, state, new_pose(), out)
        yield number / 50, out.copy()


def off_viewer(director: Director) -> float:
    """How far the gaze is from the viewer, in degrees."""
    return float(np.degrees(np.hypot(director._gaze.yaw, director._gaze.pitch)))


def at(seconds: float) -> int:
    return START_NS + round(seconds * NS_PER_S)


@pytest.mark.parametrize(
    ("asked", "silent_ms", "state"),
    [
        ("idle", 0, "listening"),
        ("idle", STAYS_NS // NS_PER_MS - 10, "listening"),
        ("idle", STAYS_NS // NS_PER_MS + 10, "idle"),
        ("thinking", 0, "listening"),
        ("thinking", 10, "thinking"),
        ("listening", 0, "listening"),
        ("listening", 60_000, "listening"),
    ],
)
def test_the_customers_sound_makes_the_face_listen_and_clients_have_it_back_after(
    asked: str, silent_ms: int, state: str
) -> None:
    attention = Attention()
    attention.step(0, False)
    assert attention.state(asked) == asked
    attention.step(1000 * NS_PER_MS, True)
    assert attention.state(asked) == "listening"
    attention.step((1000 + silent_ms) * NS_PER_MS, silent_ms == 0)
    assert attention.state(asked) == state


def test_a_pause_that_the_customer_caused_is_listened_through_and_any_other_is_not() -> None:
    attention = Attention()
    attention.step(NS_PER_S, False)
    assert not attention.during_pause
    attention.step(2 * NS_PER_S, True)
    assert attention.during_pause
    attention.step(2 * NS_PER_S + STAYS_IN_PAUSE_NS - 1, False)
    assert attention.during_pause
    attention.step(2 * NS_PER_S + STAYS_IN_PAUSE_NS, False)
    assert not attention.during_pause


@pytest.mark.parametrize("seed", range(4))
def test_a_silent_face_nods_slightly_and_looks_at_the_customer_at_once(seed: int) -> None:
    """Compared with a twin that a client has set to listening and that hears nobody."""
    told, twin = Director(seed=seed), Director(seed=seed)
    for director in (told, twin):
        assert all(np.isfinite(pose).all() for _, pose in frames(director, 0, 6))
    told.hear(True, at(6))
    nodding = np.array([pose for _, pose in frames(told, 6, 6.9, "listening")])
    still = np.array([pose for _, pose in frames(twin, 6, 6.9, "listening")])
    deeper = nodding[:, PITCH] - still[:, PITCH]
    assert 0.03 < deeper.max() < 0.1
    assert 0.1 < deeper.argmax() / 50 < 0.4
    assert nodding[-1, BROW] > 0.3
    for time_s, _ in frames(told, 6.9, 16, "listening"):
        told.hear(True, at(time_s))
        assert off_viewer(told) < 5.0


def test_the_eyes_are_on_the_customer_two_tenths_of_a_second_after_the_news() -> None:
    for seed in range(24):
        director = Director(seed=seed)
        list(frames(director, 0, 3))
        director.hear(True, at(3))
        list(frames(director, 3, 3.2, "listening"))
        assert off_viewer(director) < 5.0, seed


def test_who_talks_over_the_face_is_looked_at_and_gets_no_nod() -> None:
    for seed in range(3):
        heard, twin = Director(seed=seed), Director(seed=seed)
        list(frames(heard, 0, 4, "speaking")), list(frames(twin, 0, 4, "speaking"))
        heard.hear(True, at(4))
        pitches = []
        for (time_s, pose), (_, other) in zip(
            frames(heard, 4, 9, "speaking"), frames(twin, 4, 9, "speaking"), strict=True
        ):
            pitches.append(pose[PITCH] - other[PITCH])
            assert time_s < 4.2 or off_viewer(heard) < 5.0
        assert np.max(np.diff(pitches)) < 0.002, "a nod moves the head by 0.005 rad a frame"
        heard.hear(False, at(9))
        moments = [time_s for time_s, _ in frames(heard, 9, 30, "speaking") if off_viewer(heard) > 5.0]
        assert moments, "it looks away again when the customer is silent"
        assert moments[0] > 11.0


def test_the_turn_that_the_customer_ended_is_answered_with_a_nod() -> None:
    told, twin = Director(seed=2), Director(seed=2)
    for director in (told, twin):
        list(frames(director, 0, 4, "speaking"))
        director.hear(True, at(4))
        list(frames(director, 4, 5, "speaking"))
    twin._nods = False
    deeper = [
        pose[PITCH] - other[PITCH]
        for (_, pose), (_, other) in zip(frames(told, 5, 6, "listening"), frames(twin, 5, 6, "listening"), strict=True)
    ]
    assert max(deeper) > 0.03


@pytest.mark.parametrize(("silence_s", "nods"), [(0.5, 1), (1.9, 1), (2.1, 2), (10.0, 2)])
def test_who_goes_on_after_a_short_silence_gets_no_second_nod(silence_s: float, nods: int) -> None:
    director = Director(seed=4)
    played = []
    director._start = lambda _, now_s: played.append(now_s)  # spontaneous nods do not come this way
    list(frames(director, 0, 1))
    for begins_s in (1.0, 2.0 + silence_s):
        director.hear(True, at(begins_s))
        list(frames(director, begins_s, begins_s + 0.02, "listening"))
        director.hear(False, at(begins_s + 1.0))
        list(frames(director, begins_s + 1.0, begins_s + 1.02, "listening"))
    assert len(played) == nods


def test_after_a_turn_the_gaze_holds_the_viewer_for_two_to_three_seconds() -> None:
    left_s = []
    for seed in range(24):
        director = Director(seed=seed)
        list(frames(director, 0, 2, "speaking"))
        away = [time_s - 2 for time_s, _ in frames(director, 2, 6) if time_s > 2.2 and off_viewer(director) > 5.0]
        left_s.append(away[0] if away else 4.0)
    assert min(left_s) > 2.0
    assert np.mean([left < 3.1 for left in left_s]) > 0.3, "half of all idle fixations are off the viewer"


def test_an_answer_that_begins_soon_is_spoken_with_a_free_gaze() -> None:
    """The viewer was looked at for the customer's turn; for its own the face looks about as ever."""
    away = 0
    for seed in range(24):
        director = Director(seed=seed)
        director.hear(True, at(0))
        list(frames(director, 0, 2, "listening"))
        director.hear(False, at(2))
        list(frames(director, 2, 2.2, "listening"))
        away += any(off_viewer(director) > 5.0 for _ in frames(director, 2.2, 4, "speaking"))
    assert away >= 3


def test_a_client_that_thinks_or_looks_elsewhere_is_obeyed() -> None:
    director = Director(seed=1)
    list(frames(director, 0, 5, "speaking"))
    list(frames(director, 5, 6.5, "thinking"))
    assert off_viewer(director) > 9.0
    director.look_at(0.8, 0.0, at(6.5))
    director.hear(True, at(6.5))
    list(frames(director, 6.5, 8, "listening"))
    assert director._gaze.yaw > np.radians(20)


def ear(**fields: bool) -> bus.EarSign:
    return bus.EarSign(epoch=1, **fields)


def play(rig: FaceRig, ms: int, **anchor: object) -> list[np.ndarray]:
    poses = []
    for _ in range(ms // 20):
        rig.anchor(**anchor)  # type: ignore[arg-type]
        poses.append(rig.frame()[1].copy())
    return poses


def test_it_reaches_the_face_from_the_bus_and_ends_with_the_voice() -> None:
    rig = FaceRig()
    play(rig, 200)
    assert rig.presenter._state_name() == "idle"
    rig.hear(ear(speaking=True))
    poses = play(rig, 1000)
    assert rig.presenter._state_name() == "listening"
    assert max(pose[PITCH] for pose in poses) > poses[0][PITCH] + 0.06
    rig.hear(ear())
    play(rig, 600)
    assert rig.presenter._state_name() == "listening"
    play(rig, 200)
    assert rig.presenter._state_name() == "idle"
    rig.hear(ear(speaking=True))
    play(rig, 100)
    assert rig.state.customer_speaks
    for _ in range(80):
        rig.frame()
    assert rig.presenter._state_name() == "disconnected"
    assert not rig.state.customer_speaks


def test_a_barge_in_that_pauses_is_no_sleep_and_an_ordinary_pause_is_one() -> None:
    rig = FaceRig()
    rig.speech(to_ms=3000)
    play(rig, 500, until_ms=3000, phase="speaking", turn="t")
    rig.hear(ear(speaking=True))
    play(rig, 100, media_ms=500, until_ms=500, phase="paused", turn="t")
    assert rig.presenter._state_name() == "listening"
    rig.hear(ear())
    play(rig, 2300, media_ms=500, until_ms=500, phase="paused", turn="t")
    assert rig.presenter._state_name() == "listening"
    assert rig.presenter._director.presence == 1.0
    play(rig, 400, media_ms=500, until_ms=500, phase="paused", turn="t")
    assert rig.presenter._state_name() == "paused"


def test_over_a_turn_that_goes_on_the_face_goes_on_speaking() -> None:
    rig = FaceRig()
    rig.anchor()
    rig.speech(to_ms=2000)
    play(rig, 200, until_ms=2000, phase="speaking", turn="t")
    rig.hear(ear(speaking=True))
    play(rig, 200, media_ms=200, until_ms=2000, phase="speaking", turn="t")
    assert rig.presenter._state_name() == "speaking"


def test_changes_wake_the_loop_and_a_voice_of_the_customer_the_screen() -> None:
    rig, woken = FaceRig(), []
    rig.stage._on_change = woken.append  # type: ignore[assignment]
    for sign, wakes in (
        (ear(), []),
        (ear(live=True), [False]),
        (ear(live=True), []),
        (ear(live=True, speaking=True), [True]),
        (bus.EarSign(epoch=2, live=True, speaking=True), []),
        (ear(live=True), [False]),
        (ear(muted=True), [False]),
    ):
        woken.clear()
        rig.hear(sign)
        assert woken == wakes, sign


class Idle(FaceRig):
    """Draws only when something moves, as a service does; with signs."""

    def __init__(self) -> None:
        super().__init__()
        self.annotations = Annotations(Config(), self.renderer, self.state.cues, self.counters)
        self.presenter = Presenter(
            state=self.state,
            director=Director(seed=1),
            renderer=self.renderer,
            pacer=self.pacer,
            clock=self.clock,
            display_latency_ms=0.0,
            counters=self.counters,
            trace=self.trace,
            idle_fps=12,
            annotations=self.annotations,
        )

    def run(self, ms: int) -> int:
        """Frames drawn in ms."""
        before, until_ns = self.renderer.records()[0].size, self.clock.now_ns() + ms * NS_PER_MS
        while self.clock.now_ns() < until_ns:
            self.anchor()
            self.presenter.step()
            self.clock.advance_ns(max(FRAME_NS, self.presenter.next_step_ns - self.clock.now_ns()))
        return int(self.renderer.records()[0].size - before)


def test_the_frame_rate_rises_for_listening_and_falls_again() -> None:
    rig = Idle()
    rig.run(5_000)
    idle = min(rig.run(2_000) for _ in range(5))
    rig.hear(ear(speaking=True))
    assert rig.run(800) >= 39, "nod and posture at the full rate"
    rig.run(1_000)
    assert min(rig.run(2_000) for _ in range(3)) < 45
    rig.hear(ear())
    rig.run(4_000)
    assert min(rig.run(2_000) for _ in range(5)) <= idle + 4


def test_an_ear_that_says_nothing_changes_no_pose_and_no_frame() -> None:
    """A face beside a voice without an ear draws what it drew before: the same poses at the same times."""
    quiet, told = Idle(), Idle()
    told.hear(ear())
    for rig in (quiet, told):
        rig.run(20_000)
    for one, other in zip(quiet.renderer.records(), told.renderer.records(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_live_microphone_is_drawn_from_the_news_on_and_costs_no_frame_while_it_stays() -> None:
    quiet, live = Idle(), Idle()
    for rig in (quiet, live):
        rig.run(5_000)
    live.hear(ear(live=True))
    assert live.run(200) >= 7, "the fade, at the full rate"
    assert [placed.opacity for placed in live.renderer.overlay.shown.values()] == pytest.approx([0.9])
    quiet.run(200)
    assert live.run(20_000) == pytest.approx(quiet.run(20_000), abs=6)
    live.hear(ear())
    live.run(2_000)
    assert not live.renderer.overlay.shown
