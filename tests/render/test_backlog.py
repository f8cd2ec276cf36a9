"""Offscreen rendering must not let frames pile up, which once cost 2 MB per frame."""

from mien.core.pose import CHANNEL_INDEX, new_pose
from mien.host.memory import pss_mb


def test_a_hundred_frames_cost_no_memory(gles):
    pose = new_pose()

    def draw(count):
        for number in range(count):
            pose[CHANNEL_INDEX["jawOpen"]] = number % 10 / 10
            gles.draw(pose)
            gles.present()
        return pss_mb(None)

    before = draw(20)
    assert draw(100) - before < 20
