"""A renderer slower than the display still shows poses in step with the sound."""

import numpy as np

from mien.face.draw_cost import DrawCost
from rigs.face_rig import FaceRig


def test_it_follows_up_quickly_and_down_slowly():
    cost = DrawCost()
    for _ in range(10):
        cost.observe(1000)
    assert 990 < cost.estimate_ns <= 1000
    cost.observe(0)
    assert cost.estimate_ns > 900


def test_pictures_that_take_longer_than_a_refresh_are_not_late_in_pose():
    rig = FaceRig(fps=50)
    draw = rig.renderer.draw
    rig.renderer.draw = lambda pose: (draw(pose), rig.clock.advance_ms(27))
    rig.anchor()
    rig.speech(to_ms=2000)
    rig.anchor(until_ms=2000, phase="speaking", turn="t")
    for _ in range(25):
        rig.picture()
    offsets = rig.presenter.offsets_ms
    assert abs(offsets.percentile(50)) < 0.1
    assert rig.pacer.missed > 5
    assert np.isfinite(offsets.percentile(95))
