"""Frame timing on a manual clock: every visible change is drawn, slow renderers stay in sync."""

import numpy as np
import pytest

from mien.core import bus
from mien.core.pacer import DisplayPacer
from mien.core.pose import CHANNEL_INDEX, new_pose
from mien.face.director import Director
from mien.face.frame_timing import LONGEST_NS, STEP, TRAVEL, DrawCost, FrameRate
from mien.face.presenter import Presenter
from mien.units import NS_PER_MS, NS_PER_S
from rigs.face_rig import FaceRig

FPS = 50
PERIOD_NS = NS_PER_S // FPS
FAR_NS = 10**15
YAW = CHANNEL_INDEX["headYaw"]


def rate_of(idle_fps: float = 12.5) -> FrameRate:
    return FrameRate(full_ns=PERIOD_NS, idle_fps=idle_fps)


def turned(steps: float) -> np.ndarray:
    """A head turned so far that the image moved by so many steps."""
    pose = new_pose()
    pose[YAW] = steps * STEP / TRAVEL[YAW]
    return pose


def should_draw(rate: FrameRate, at_ms: float, pose: np.ndarray, **given: object) -> bool:
    return rate.should_draw(
        int(at_ms * NS_PER_MS), pose, **{"moves": False, "must": False, "next_move_ns": FAR_NS, **given}
    )  # type: ignore[arg-type]


def test_a_face_that_stands_still_is_looked_at_at_the_idle_rate_and_drawn_once_a_second() -> None:
    rate, drawn = rate_of(), []
    at_ms = 1000.0
    for _ in range(100):
        if should_draw(rate, at_ms, new_pose()):
            drawn.append(at_ms)
        assert rate.rest_ns == NS_PER_S / 12.5
        at_ms += rate.rest_ns / NS_PER_MS
    assert len(drawn) >= 7
    assert np.diff(drawn) == pytest.approx(LONGEST_NS / NS_PER_MS, abs=80)


def test_what_must_be_drawn_is_and_at_the_full_rate() -> None:
    rate = rate_of()
    should_draw(rate, 1000, new_pose())
    assert should_draw(rate, 1020, new_pose(), must=True)
    assert rate.rest_ns == 0


def test_while_something_fast_moves_every_frame_that_shows_it_is_drawn() -> None:
    rate = rate_of()
    should_draw(rate, 1000, new_pose())
    assert not should_draw(rate, 1020, turned(0.2), moves=True)
    assert should_draw(rate, 1040, turned(0.3), moves=True)
    assert rate.rest_ns == 0


def test_slow_movement_is_drawn_when_it_has_gone_a_step_and_rests_until_then() -> None:
    rate = rate_of()
    should_draw(rate, 1000, new_pose())
    assert not should_draw(rate, 1040, turned(0.4))  # a hundredth of a step per ms
    assert rate.rest_ns == pytest.approx(60 * NS_PER_MS, rel=0.01)
    assert should_draw(rate, 1100, turned(1.01))
    assert rate.rest_ns == pytest.approx(80 * NS_PER_MS), "the next step is further away than the next idle look"


def test_movement_of_a_step_a_frame_is_drawn_at_the_full_rate() -> None:
    rate = rate_of()
    should_draw(rate, 1000, new_pose())
    assert should_draw(rate, 1020, turned(1.01))
    assert rate.rest_ns == 0


@pytest.mark.parametrize(("in_ms", "rest_ms"), [(70, 70), (100, 80), (15, 0), (-5, 0)])
def test_a_rest_ends_where_the_next_movement_begins(in_ms: int, rest_ms: int) -> None:
    rate = rate_of()
    should_draw(rate, 1000, new_pose(), next_move_ns=(1000 + in_ms) * NS_PER_MS)
    assert rate.rest_ns == rest_ms * NS_PER_MS


def test_nothing_is_left_out_at_an_idle_rate_of_nought() -> None:
    rate = rate_of(0)
    assert all(should_draw(rate, 1000 + 20 * n, new_pose()) for n in range(10))
    assert rate.rest_ns == 0
    assert not rate.take_rested()


def test_a_rest_is_told_once() -> None:
    rate = rate_of()
    should_draw(rate, 1000, new_pose())
    should_draw(rate, 1080, new_pose(), must=True)
    assert rate.take_rested()
    assert not rate.take_rested()


class Idle(FaceRig):
    """A face that may rest; run() steps it as the loop does and returns when frames were shown."""

    def __init__(self, *, idle_fps: float = 12.5) -> None:
        super().__init__(fps=FPS)
        self.presenter = Presenter(state=self.state, director=Director(seed=1), renderer=self.renderer,
                                   pacer=self.pacer, clock=self.clock, display_latency_ms=0.0, counters=self.counters,
                                   trace=self.trace, idle_fps=idle_fps)  # fmt: skip
        self._anchored_ns = 0

    def run(self, for_ms: int) -> list[int]:
        """The times at which frames were shown, with a live voice throughout."""
        before, until_ns = self.renderer.records()[0].size, self.clock.now_ns() + for_ms * NS_PER_MS
        while self.clock.now_ns() < until_ns:
            if self.clock.now_ns() - self._anchored_ns >= 200 * NS_PER_MS:
                self._anchored_ns = self.clock.now_ns()
                self.state.voice_alive(self.clock.now_ns())
            self.once()
        return [int(at) for at in self.renderer.records()[0][before:]]

    def once(self) -> None:
        self.presenter.step()
        now_ns = self.clock.now_ns()
        self.clock.advance_ns(max(1, self.pacer.wait_ns(now_ns), self.presenter.next_step_ns - now_ns))


def calm(rig: Idle) -> None:
    """Advance a rig to the beginning of a long rest."""
    rig.anchor()
    rig.run(4000)
    while rig.presenter.next_step_ns - rig.clock.now_ns() < 0 or rig.presenter._rate.rest_ns < 60 * NS_PER_MS:
        rig.once()


def test_an_idle_face_is_drawn_at_a_third_of_the_frames_and_misses_none() -> None:
    rig = Idle()
    rig.anchor()
    rig.run(5000)
    missed = rig.pacer.missed
    shown = rig.run(60_000)
    assert 60 < len(shown) < 60 * FPS / 3
    assert rig.pacer.missed == missed
    assert np.max(np.diff(shown)) <= LONGEST_NS + NS_PER_S // 12
    assert rig.presenter.take_idle()


def test_what_an_idle_face_leaves_out_is_less_than_a_step() -> None:
    """Every 20 ms the pose on the screen is compared with the pose at the full rate."""
    whole, rested = Idle(idle_fps=0), Idle()
    for rig in (whole, rested):
        rig.anchor()
        rig.run(30_000)
    times, poses = rested.renderer.records()
    worst = [0.0]
    for at_ns, pose in zip(*whole.renderer.records(), strict=True):
        on_screen = poses[max(0, int(np.searchsorted(times, at_ns, side="right")) - 1)]
        worst.append(float((np.abs(on_screen - pose) * TRAVEL).max()))
    assert np.percentile(worst, 99) < 2 * STEP, "a pose of up to an idle look ago may be up to two steps old"
    assert np.median(worst) < STEP


@pytest.mark.parametrize(
    "message",
    [
        bus.GestureCue(epoch=1, name="nod"),
        bus.Expression(epoch=1, state="listening"),
        bus.Expression(epoch=1, emotion="happy", intensity=1.0),
        bus.Expression(epoch=1, look_x=0.9, look_y=0.0),
    ],
)
def test_what_is_asked_for_is_shown_at_the_full_rate_from_the_next_look_on(message: bus.BusMessage) -> None:
    rig = Idle()
    calm(rig)
    rig.hear(message)
    rig.once()
    shown = rig.run(200)
    assert len(shown) >= 10
    assert np.max(np.diff(shown)) == PERIOD_NS


def test_speech_is_shown_at_every_refresh() -> None:
    rig = Idle()
    calm(rig)
    rig.speech(to_ms=1000)
    rig.anchor(in_ms=0, until_ms=1000, phase="speaking", turn="t")
    rig.presenter.take_idle()
    shown = rig.run(900)
    assert len(shown) >= 45
    assert np.max(np.diff(shown[1:])) == PERIOD_NS
    assert not rig.presenter.take_idle()


def test_a_paused_turn_rests_too() -> None:
    rig = Idle()
    calm(rig)
    rig.speech(to_ms=3000)
    rig.anchor(media_ms=1000, until_ms=3000, phase="speaking", turn="t")
    rig.run(500)
    rig.anchor(media_ms=1500, until_ms=1500, phase="paused", turn="t")
    rig.run(3000)
    assert len(rig.run(10_000)) < 10 * FPS / 3


def test_a_thumbnail_is_answered_from_a_frame_drawn_at_once() -> None:
    rig = Idle()
    calm(rig)
    rig.renderer.capture = lambda: np.zeros((40, 30, 3), np.uint8)  # type: ignore[method-assign]
    before = rig.renderer.records()[0].size
    rig.hear(bus.ThumbnailRequest(epoch=1, width=32))
    rig.once()
    assert rig.renderer.records()[0].size == before + 1
    rig.stage.work()
    assert isinstance(rig.reports[-1], bus.Thumbnail)


@pytest.mark.parametrize("rest_ms", [20, 83, 500, 30_000])
@pytest.mark.parametrize("depth", [1, 2])
def test_a_rest_is_no_missed_refresh_and_a_late_frame_after_it_is(rest_ms: int, depth: int) -> None:
    pacer = DisplayPacer(PERIOD_NS, depth=depth)
    at_ns = 10**9
    for _ in range(5):
        seen_ns = pacer.presented(at_ns, vsync=False)
        at_ns += max(PERIOD_NS, pacer.wait_ns(at_ns))
    shown = pacer.shown
    at_ns = seen_ns + rest_ms * NS_PER_MS + NS_PER_MS
    pacer.rested(at_ns)
    wanted_ns = pacer.next_visible_ns(at_ns)
    assert 0 < wanted_ns - at_ns <= depth * PERIOD_NS
    assert pacer.presented(at_ns + NS_PER_MS, vsync=False) == wanted_ns
    assert (pacer.shown, pacer.missed) == (shown + 1, 0)
    at_ns = wanted_ns + rest_ms * NS_PER_MS
    pacer.rested(at_ns)
    pacer.presented(at_ns + 3 * PERIOD_NS, vsync=False)
    assert pacer.missed == 3


def test_the_voices_messages_that_want_showing_wake_the_loop_and_the_usual_ones_do_not() -> None:
    rig, woken = FaceRig(), []
    rig.stage._on_change = lambda somebody: woken.append(somebody)

    def wakes(action: object) -> bool:
        woken.clear()
        action()  # type: ignore[operator]
        return bool(woken)

    assert wakes(rig.anchor)
    assert not wakes(rig.anchor), "the same, four times a second"
    assert wakes(lambda: rig.anchor(phase="preroll", turn="t"))
    assert wakes(lambda: rig.anchor(phase="speaking", turn="t"))
    assert not wakes(lambda: rig.anchor(phase="speaking", turn="t", media_ms=200))
    assert wakes(lambda: rig.anchor(phase="speaking", turn="next"))
    assert wakes(lambda: rig.anchor(epoch=2, phase="speaking", turn="next"))
    assert not wakes(lambda: rig.speech(to_ms=100))
    assert wakes(lambda: rig.hear(bus.Expression(epoch=2, state="thinking")))
    assert not wakes(lambda: rig.hear(bus.Expression(epoch=2, state="thinking")))
    assert wakes(lambda: rig.hear(bus.GestureCue(epoch=2, name="nod")))
    assert wakes(lambda: rig.hear(bus.CaptionCue(epoch=2, turn="t", text="hello")))
    assert wakes(lambda: rig.hear(bus.ThumbnailRequest(epoch=2, width=64)))
    voice = bus.VoiceHealth(epoch=2, pid=1, level="full", clients=1, pss_mb=1.0, counters={})
    assert not wakes(lambda: rig.hear(voice))


def test_one_slow_frame_changes_little_and_a_lasting_change_is_followed():
    cost = DrawCost()
    for _ in range(10):
        cost.observe(1000)
    cost.observe(50_000)
    assert 1000 < cost.estimate_ns <= 1080
    for _ in range(60):
        cost.observe(3000)
    assert cost.estimate_ns == 3000
    for _ in range(60):
        cost.observe(500)
    assert cost.estimate_ns == 500


def test_frames_that_take_longer_than_a_refresh_are_not_late_in_pose():
    rig = FaceRig(fps=50)
    draw = rig.renderer.draw
    rig.renderer.draw = lambda pose: (draw(pose), rig.clock.advance_ms(27))
    rig.anchor()
    rig.speech(to_ms=2000)
    rig.anchor(until_ms=2000, phase="speaking", turn="t")
    for _ in range(30):
        rig.frame()
    offsets = rig.presenter.offsets_ms
    assert abs(offsets.percentile(50)) < 0.1
    assert rig.pacer.missed > 5
    assert np.isfinite(offsets.percentile(95))
