"""A video: its captions, however long a frame takes to draw, and its lead-in."""

import numpy as np

from mien.core.clock import ManualClock
from mien.core.pose import CHANNEL_INDEX
from mien.face.offline import VideoCaptions, poses
from mien.face.state import MOTION_WIDTH
from mien.motion.prosody import PROSODY_CHANNELS
from mien.render.headless import HeadlessRenderer

MS = 1_000_000


def test_words_follow_the_film_and_all_are_bright_at_its_end():
    renderer = HeadlessRenderer(720, 1280, ManualClock(0))
    captions = VideoCaptions(renderer, "Good day, everyone", 2000)
    shown = []
    for at_ms in range(0, 2400, 40):
        captions.step(at_ms * MS)
        shown.append(renderer.overlay.shown.get(0))
    assert shown[1] is not None
    assert shown[2].progress < 1.5
    progress = [placed.progress for placed in shown if placed]
    assert progress == sorted(progress)
    assert shown[-1].progress > 3
    assert renderer.overlay.uploads == 1


def test_a_lead_in_shows_the_mouth_at_rest_and_then_speaks():
    frames = np.zeros((100, MOTION_WIDTH), np.float32)
    frames[:, CHANNEL_INDEX["jawOpen"]] = 0.8
    prosody = np.zeros((100, len(PROSODY_CHANNELS)), np.float32)
    jaws = [float(pose[CHANNEL_INDEX["jawOpen"]]) for pose in poses(frames, prosody, 100, 50.0, 1, 0.5, lead_s=0.3)]
    assert len(jaws) == 50 * 1.8
    assert max(jaws[:15]) < 0.02
    assert max(jaws[15:65]) > 0.5
