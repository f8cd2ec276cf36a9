"""A renderer slower than the display still shows poses in step with the sound."""

import numpy as np

from mien.face.frame_timing import DrawCost
from rigs.face_rig import FaceRig


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
