"""Pixels read back from a drawn frame: the blank-screen check, thumbnails requested over the bus."""

import io
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pygame
import pytest

from mien.avatar.load import load_avatar
from mien.core import bus
from mien.core.clock import ManualClock
from mien.core.pacer import DisplayPacer
from mien.core.stats import Counters
from mien.errors import DisplayError
from mien.face import readback
from mien.face.director import Director
from mien.face.health import FaceReporter
from mien.face.presenter import Presenter
from mien.face.readback import BlankCheck
from mien.face.state import FaceState
from mien.render.gles import GlesRenderer
from mien.render.scene import Background
from rigs.face_rig import FaceRig

BLACK = Background(top=(0, 0, 0), bottom=(0, 0, 0), glow=(0, 0, 0))
FPS = 10


@pytest.mark.parametrize(("blank", "counted"), [(True, 1), (False, 0)])
def test_a_blank_frame_is_counted_once_a_second_after_the_first(blank, counted):
    looks = []
    renderer = SimpleNamespace(info=SimpleNamespace(device="GPU"), looks_blank=lambda: looks.append(1) or blank)
    counters = Counters()
    check = BlankCheck(renderer, counters)
    for ms in range(0, 3000, 33):
        check.after_draw(ms * 1_000_000)
        assert bool(looks) == (ms >= 1000)
    assert len(looks) == 1
    assert counters["picture_blank"] == counted


@pytest.mark.parametrize("samples", [0, 4])
@pytest.mark.parametrize("blank", [True, False])
def test_health_reports_a_renderer_that_draws_nothing(monkeypatch, caplog, blank, samples):
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    mesh = load_avatar()
    renderer = GlesRenderer(
        replace(mesh, parts=()) if blank else mesh, width=64, height=96, samples=samples, background=BLACK
    )
    clock, counters, pacer = ManualClock(10**9), Counters(), DisplayPacer(10**9 // FPS)
    state = FaceState(frame_hz=100, capacity=10)
    presenter = Presenter(
        state=state,
        director=Director(seed=1),
        renderer=renderer,
        pacer=pacer,
        clock=clock,
        display_latency_ms=0.0,
        counters=counters,
    )
    reporter = FaceReporter(state=state, pacer=pacer, counters=counters, renderer=renderer)
    try:
        for _ in range(int(1.2 * FPS)):
            presenter.step()
            clock.advance_ns(10**9 // FPS)
        health = reporter.report(presenter, "full", 0.0, clock.now_ns())
    finally:
        renderer.close()
    assert health.counters.get("picture_blank", 0) == blank
    assert ("the screen is blank" in caplog.text) == blank
    assert health.quality == "full"


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
