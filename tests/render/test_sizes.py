"""Screens of any size or shape show the face centred."""

import numpy as np
import pytest

from mien.core.mesh import Mesh
from mien.core.pose import new_pose
from mien.render.gles import GlesRenderer


def drawn(mesh: Mesh, width: int, height: int, quality: str = "full", quarter_turns: int = 0) -> np.ndarray:
    renderer = GlesRenderer(
        mesh, width=width, height=height, samples=0, quality=quality, quarter_turns=quarter_turns
    )  # fmt: skip
    try:
        assert (renderer.info.width, renderer.info.height) == (width, height)
        renderer.draw(new_pose())
        pixels = renderer.capture()
        renderer.present()
    finally:
        renderer.close()
    return pixels


@pytest.fixture(autouse=True)
def _offscreen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")


@pytest.mark.parametrize("quality", ["full", "low"])
@pytest.mark.parametrize(
    ("width", "height"), [(1, 1), (1, 7), (3, 2), (101, 333), (333, 101), (854, 480), (64, 4096), (4096, 64)]
)
def test_a_frame_of_any_size_is_drawn_whole(mesh: Mesh, width: int, height: int, quality: str) -> None:
    pixels = drawn(mesh, width, height, quality)
    assert pixels.shape == (height, width, 3)
    assert pixels.max() > 0


@pytest.mark.parametrize(("width", "height"), [(360, 640), (640, 360), (500, 500), (240, 961), (961, 240)])
def test_the_head_is_whole_and_in_the_middle(mesh: Mesh, width: int, height: int) -> None:
    pixels = drawn(mesh, width, height).astype(int)
    red = (pixels[..., 0] > 60) & (pixels[..., 0] > 1.6 * pixels[..., 2])
    rows, columns = np.nonzero(red)
    assert abs(columns.mean() - width / 2) < 0.02 * width
    assert rows.min() > 0
    assert columns.min() > 0
    assert columns.max() < width - 1
    assert red.sum() > 0.05 * min(width, height) ** 2


def test_a_4096_screen_is_drawn(mesh: Mesh) -> None:
    assert np.ptp(drawn(mesh, 4096, 2160)[::16, ::16]) > 100
