"""The arithmetic of the benchmarks, on synthetic recordings."""

import numpy as np
import pytest

from mien.bench.offsets import FrameTrace, first_motion_ns, last_sound_ns, mouth_closed_ns, offsets_ms
from mien.core.bus import Anchor
from mien.core.pose import CHANNEL_COUNT, CHANNEL_INDEX

MS = 1_000_000
JAW = CHANNEL_INDEX["jawOpen"]


def frames(count=100, period_ms=20, late_ms=0, jaw=None):
    visible = np.arange(count, dtype=np.int64) * period_ms * MS
    poses = np.zeros((count, CHANNEL_COUNT), np.float32)
    poses[:, JAW] = 0 if jaw is None else jaw
    return FrameTrace(visible, visible - late_ms * MS, np.ones(count, np.int64), poses)


def anchors(count=100, epoch=1):
    return [
        Anchor(epoch=epoch, media_ns=i * 20 * MS, at_ns=i * 20 * MS, until_ns=3000 * MS, phase="speaking")
        for i in range(count)
    ]


@pytest.mark.parametrize("late_ms", [-15, 0, 7])
def test_an_offset_that_was_put_in_is_found(late_ms):
    seen, offsets = offsets_ms(frames(late_ms=late_ms), anchors())
    assert len(seen) > 90
    assert np.allclose(offsets, -late_ms)


def test_frames_without_sound_nearby_do_not_count():
    assert len(offsets_ms(frames(), [])[0]) == 0
    assert len(offsets_ms(frames(), anchors(10))[0]) < 13
    assert len(offsets_ms(frames(), anchors(epoch=2))[0]) == 0


def test_first_motion_is_the_first_change_that_can_be_seen():
    jaw = np.r_[np.full(50, 0.1), 0.11, np.full(49, 0.2)]
    shown = frames(jaw=jaw)
    assert first_motion_ns(shown, 500 * MS, 3000 * MS) == 51 * 20 * MS
    assert first_motion_ns(shown, 500 * MS, 900 * MS) is None
    assert first_motion_ns(shown, 9000 * MS, 9001 * MS) is None


def test_the_mouth_is_closed_when_it_stays_closed():
    jaw = np.r_[np.full(30, 0.5), 0.0, np.full(10, 0.5), np.zeros(59)]
    assert mouth_closed_ns(frames(jaw=jaw), 100 * MS) == 41 * 20 * MS
    assert mouth_closed_ns(frames(jaw=0.5), 0) is None


def test_the_last_sound_is_when_the_played_ms_were_heard():
    assert last_sound_ns(anchors(), 1, 2010.0) == 2010 * MS
    assert last_sound_ns(anchors(), 5, 100.0) is None
