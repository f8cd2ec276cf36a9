"""The contract of mien.render.base, over every renderer."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from mien.core.clock import ManualClock
from mien.core.mesh import Mesh, MorphTarget, Part
from mien.core.pose import CHANNEL_COUNT, CHANNEL_INDEX, new_pose
from mien.errors import DisplayError
from mien.render.base import Renderer
from mien.render.gles import GlesRenderer
from mien.render.headless import HeadlessRenderer
from mien.render.scene import Background


def triangle() -> Mesh:
    """One white triangle in the upper half; jawOpen moves it to the lower half."""
    corners = np.array([[-0.5, 0.1, 0], [0.5, 0.1, 0], [0, 0.9, 0]], dtype=np.float32)
    lower = MorphTarget(
        name="jawOpen",
        vertices=np.arange(3, dtype=np.uint16),
        positions=np.tile(np.array([0, -1, 0], dtype=np.float32), (3, 1)),
        normals=np.zeros((3, 3), dtype=np.float32),
    )
    return Mesh(
        name="triangle",
        positions=corners,
        normals=np.tile(np.array([0, 0, 1], dtype=np.float32), (3, 1)),
        uvs=np.zeros((3, 2), dtype=np.float32),
        colors=np.full((3, 4), 255, dtype=np.uint8),
        head_weights=np.ones(3, dtype=np.float32),
        indices=np.arange(3, dtype=np.uint16),
        parts=(Part(name="all", first_index=0, index_count=3),),
        textures=(),
        targets=(lower,),
        neck_pivot=np.zeros(3, dtype=np.float32),
        eye_pivots=np.zeros((2, 3), dtype=np.float32),
        frame_center=np.zeros(3, dtype=np.float32),
        frame_height=2.0,
    )


def open_gles() -> Renderer:
    black = Background(top=(0, 0, 0), bottom=(0, 0, 0), glow=(0, 0, 0))
    return GlesRenderer(triangle(), width=64, height=48, background=black)


def open_headless() -> Renderer:
    return HeadlessRenderer(64, 48, ManualClock(5))


BACKENDS: dict[str, Callable[[], Renderer]] = {"gles": open_gles, "headless": open_headless}


@pytest.fixture(params=BACKENDS)
def renderer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Renderer]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    opened = BACKENDS[request.param]()
    yield opened
    opened.close()


def test_it_says_what_it_is(renderer: Renderer) -> None:
    assert renderer.info.backend in BACKENDS
    assert (renderer.info.width, renderer.info.height) == (64, 48)
    assert not renderer.info.vsync


def test_many_frames_of_changing_poses_are_each_the_pose_drawn_last(renderer: Renderer) -> None:
    pose = new_pose()
    shown = []
    for number in range(20):
        pose[:] = number / 20
        renderer.draw(pose)
        if renderer.info.backend == "gles":
            shown.append(renderer.capture().tobytes())
        renderer.present()
    if isinstance(renderer, HeadlessRenderer):
        shown = [pose.tobytes() for pose in renderer.records()[1]]
    assert len(set(shown)) == 20


def test_the_overlay_is_stale_whenever_it_shows_something_else_than_was_drawn(renderer: Renderer) -> None:
    overlay = renderer.open_overlay([(8, 8)])
    overlay.load(0, np.full((8, 8, 4), 255, np.uint8))

    def stale_after(change: Callable[[], None]) -> bool:
        renderer.draw(new_pose())
        assert not overlay.stale
        change()
        return overlay.stale

    assert stale_after(lambda: overlay.place(0, 1, 1, 0.5))
    assert not stale_after(lambda: overlay.place(0, 1, 1, 0.5))
    assert stale_after(lambda: overlay.place(0, 2, 1, 0.5))
    assert stale_after(lambda: overlay.place(0, 2, 1, 0.6))
    assert stale_after(lambda: overlay.place(0, 2, 1, 0.6, 3.0))
    assert stale_after(lambda: overlay.hide(0))
    assert not stale_after(lambda: overlay.hide(0))
    assert not stale_after(lambda: overlay.place(0, 2, 1, 0.0))


def test_a_dark_screen_is_lit_by_the_next_frame(renderer: Renderer) -> None:
    renderer.draw(new_pose())
    renderer.present()
    for _ in range(3):
        assert renderer.blank() in (True, False)
    if renderer.info.backend == "gles":
        assert renderer.capture().max() == 0
        renderer.draw(new_pose())
        assert renderer.capture().max() > 0
    renderer.present()


def test_what_is_said_of_rests_and_brightness_changes_no_pose(renderer: Renderer) -> None:
    renderer.rested()
    renderer.set_brightness(0.5)
    renderer.draw(new_pose())
    renderer.present()
    if isinstance(renderer, HeadlessRenderer):
        assert renderer.brightness == 0.5
        assert len(renderer.records()[0]) == 1


def test_the_pose_is_not_kept(renderer: Renderer) -> None:
    pose = new_pose()
    pose[CHANNEL_INDEX["jawOpen"]] = 0.25
    renderer.draw(pose)
    if isinstance(renderer, HeadlessRenderer):
        pose[:] = 1
        renderer.present()
        assert renderer.records()[1][0, CHANNEL_INDEX["jawOpen"]] == np.float32(0.25)
    else:
        before = renderer.capture()
        pose[:] = 1
        np.testing.assert_array_equal(renderer.capture(), before)


def test_capture_is_the_frame_last_drawn_top_row_first_or_refused(renderer: Renderer) -> None:
    pose = new_pose()
    renderer.draw(pose)
    if renderer.info.device == "":
        with pytest.raises(DisplayError, match="gles"):
            renderer.capture()
        return
    upper = renderer.capture()
    assert upper.shape == (48, 64, 3)
    assert upper.dtype == np.uint8
    assert upper[14, 32].min() > 120 > upper[34, 32].min()
    pose[CHANNEL_INDEX["jawOpen"]] = 1
    renderer.draw(pose)
    lower = renderer.capture()
    assert lower[34, 32].min() > 120 > lower[14, 32].min()
    renderer.present()


def test_layers_are_loaded_placed_and_hidden(renderer: Renderer) -> None:
    overlay = renderer.open_overlay(((16, 8), (8, 8)))
    assert (overlay.width, overlay.height) == (64, 48)
    overlay.load(1, np.full((8, 8, 4), 255, dtype=np.uint8))
    for opacity in (0.0, 0.5, 1.0, 1.0, 0.0):
        overlay.place(1, 2, 3, opacity, 0.5, 0.7)
        renderer.draw(new_pose())
        renderer.present()
    overlay.hide(0)
    overlay.hide(1)
    renderer.draw(new_pose())
    renderer.present()


def test_close_may_be_called_twice_and_then_nothing_is_drawn(renderer: Renderer) -> None:
    renderer.draw(new_pose())
    renderer.close()
    renderer.close()
    with pytest.raises(DisplayError):
        renderer.draw(new_pose())
    with pytest.raises(DisplayError):
        renderer.present()
    with pytest.raises(DisplayError):
        renderer.capture()
    with pytest.raises(DisplayError):
        renderer.blank()
    with pytest.raises(DisplayError):
        renderer.rested()


def test_a_renderer_can_be_opened_again_after_close(renderer: Renderer) -> None:
    backend = renderer.info.backend
    renderer.close()
    again = BACKENDS[backend]()
    try:
        again.draw(new_pose())
        assert again is not renderer
        if backend == "gles":
            assert not again.looks_blank()
        again.present()
        if isinstance(again, HeadlessRenderer):
            assert len(again.records()[0]) == 1
    finally:
        again.close()


def test_headless_records_what_was_presented_and_when() -> None:
    clock = ManualClock(1000)
    renderer = HeadlessRenderer(10, 10, clock)
    pose = new_pose()
    for number in range(10):
        pose[:] = number
        renderer.draw(pose)
        if number % 2:
            renderer.present()
        clock.advance_ns(7)
    times_ns, poses = renderer.records()
    assert times_ns.tolist() == [1007, 1021, 1035, 1049, 1063]
    assert poses.shape == (5, CHANNEL_COUNT)
    assert poses[:, 0].tolist() == [1, 3, 5, 7, 9]


def test_headless_presents_nothing_before_the_first_draw() -> None:
    renderer = HeadlessRenderer(10, 10, ManualClock())
    renderer.present()
    assert len(renderer.records()[0]) == 0


def test_headless_records_grow_and_stay_bounded() -> None:
    renderer = HeadlessRenderer(10, 10, ManualClock(), max_records=5000)
    renderer.draw(new_pose())
    for _ in range(5100):
        renderer.present()
    assert len(renderer.records()[0]) == 5000
    assert renderer.discarded == 100
