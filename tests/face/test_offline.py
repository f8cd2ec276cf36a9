"""Captions of a video: of each frame, however long it takes to draw."""

from mien.core.clock import ManualClock
from mien.face.offline import VideoCaptions
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
