"""The blank-screen check: on doubles by a manual clock, and on a real renderer that was given nothing to draw."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from mien.avatar.load import load_avatar
from mien.core.clock import ManualClock
from mien.core.pacer import DisplayPacer
from mien.core.stats import Counters
from mien.face.director import Director
from mien.face.health import FaceReporter
from mien.face.presenter import Presenter
from mien.face.readback import BlankCheck
from mien.face.state import FaceState
from mien.render.gles import GlesRenderer
from mien.render.scene import Background

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
def test_health_tells_of_a_renderer_that_draws_nothing(monkeypatch, caplog, blank, samples):
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
