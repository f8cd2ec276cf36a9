"""A thumbnail is asked for over the bus, read back from a drawn frame, and reported as JPEG."""

import io

import numpy as np
import pygame

from mien.core import bus
from mien.errors import DisplayError
from mien.face import readback
from rigs.face_rig import FaceRig


def test_one_request_one_jpeg_of_about_the_width_asked_for():
    rig = FaceRig()
    frame = np.zeros((400, 300, 3), np.uint8)
    frame[:, :150] = (200, 100, 50)
    rig.renderer.capture = lambda: frame
    rig.anchor()
    rig.hear(bus.ThumbnailRequest(epoch=1, width=100))
    rig.frame()
    rig.frame()
    rig.stage.work()
    rig.stage.work()
    answers = [report for report in rig.reports if isinstance(report, bus.Thumbnail)]
    assert [(answer.width, answer.height, answer.encoding) for answer in answers] == [(100, 134, "jpeg")]
    shown = pygame.surfarray.array3d(pygame.image.load(io.BytesIO(answers[0].data), "x.jpg"))
    assert np.abs(shown[20, 60].astype(int) - (200, 100, 50)).max() < 12
    assert shown[80, 60].max() < 12


def test_a_renderer_without_pixels_does_not_answer_and_goes_on():
    rig = FaceRig()
    rig.anchor()
    rig.hear(bus.ThumbnailRequest(epoch=1, width=100))
    rig.frame()
    rig.stage.work()
    assert not [report for report in rig.reports if isinstance(report, bus.Thumbnail)]


def test_a_thumbnail_that_cannot_be_encoded_is_counted_and_the_mouth_goes_on(monkeypatch):
    def fails(_):
        raise DisplayError("no JPEG here")

    monkeypatch.setattr(readback, "encode_jpeg", fails)
    rig = FaceRig()
    rig.renderer.capture = lambda: np.zeros((40, 30, 3), np.uint8)
    rig.anchor()
    rig.hear(bus.ThumbnailRequest(epoch=1, width=100))
    rig.frame()
    rig.stage.work()
    assert rig.counters["thumbnails_failed"] == 1
    rig.speech(to_ms=100)
    assert [report for report in rig.reports if isinstance(report, bus.MotionReady)]
