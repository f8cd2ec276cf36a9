"""The blend between speech motion and rest: when it starts, how fast it is, how far it is at the first frame."""

import numpy as np
import pytest

from mien.core.pose import new_pose
from mien.face.speech_motion import SETTLE_NS, MotionWatch, SpeechMotion
from mien.units import NS_PER_MS

REST, OPEN = new_pose(), np.ones_like(new_pose())


def shown_after(gap_ms: float, *, then_ms: float = 0.0) -> float:
    """The opening shown when speech ends gap_ms after an open-mouth frame, or then_ms after that."""
    motion, out = SpeechMotion(), new_pose()
    for at_ms in range(1000, 1301, 20):
        motion.step(at_ms * NS_PER_MS, epoch=1, live=True, target=OPEN, out=out)
    assert out[0] == pytest.approx(1.0)
    motion.step(int((1300 + gap_ms) * NS_PER_MS), epoch=1, live=False, target=OPEN, out=out)
    if then_ms:
        motion.step(int((1300 + gap_ms + then_ms) * NS_PER_MS), epoch=1, live=False, target=OPEN, out=out)
    return float(out[0])


def faded(ms: float) -> float:
    return 0.5 + 0.5 * float(np.cos(np.pi * ms * NS_PER_MS / SETTLE_NS))


@pytest.mark.parametrize("gap_ms", [8, 16, 33, 40])
def test_the_way_has_been_under_way_since_the_frame_before(gap_ms: float) -> None:
    assert shown_after(gap_ms) == pytest.approx(faded(gap_ms), abs=1e-5)


@pytest.mark.parametrize("gap_ms", [41, 83, 500, 10_000])
def test_after_a_longer_gap_it_has_a_head_start_of_one_slow_frame_and_does_not_jump(gap_ms: float) -> None:
    assert shown_after(gap_ms) == pytest.approx(faded(40), abs=1e-5)


def test_it_is_over_after_the_settling_time_and_stays_over() -> None:
    assert shown_after(20, then_ms=59) > 0.0
    assert shown_after(20, then_ms=60) == pytest.approx(0.0, abs=1e-6)
    assert shown_after(20, then_ms=5000) == 0.0


def test_another_epoch_blends_too_and_the_same_source_does_not() -> None:
    motion, out = SpeechMotion(), new_pose()
    for at_ms in range(1000, 1301, 20):
        motion.step(at_ms * NS_PER_MS, epoch=1, live=True, target=OPEN, out=out)
    motion.step(1320 * NS_PER_MS, epoch=1, live=True, target=REST, out=out)
    assert out[0] == 0.0
    motion.step(1340 * NS_PER_MS, epoch=2, live=True, target=OPEN, out=out)
    assert 0.0 < out[0] < 1.0


def test_motion_is_lost_after_half_a_second_of_speech_without_it_and_found_at_once() -> None:
    watch, seen = MotionWatch(), []
    for at_ms, live in ((1000, False), (1499, False), (1500, False), (1501, True), (1502, False), (2001, False)):
        watch.step(at_ms * NS_PER_MS, speaking=True, live=live)
        seen.append(watch.lost)
    assert seen == [False, False, True, False, False, False]
    watch.step(2002 * NS_PER_MS, speaking=True, live=False)
    assert watch.lost
    watch.step(2003 * NS_PER_MS, speaking=False, live=False)
    assert not watch.lost
