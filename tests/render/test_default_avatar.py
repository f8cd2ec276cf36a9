"""The default avatar as rendered: on the screen, centred, moved by every channel."""

from collections.abc import Iterator

import numpy as np
import pytest

from mien.avatar.load import load_avatar
from mien.core.mesh import Mesh
from mien.core.pose import ARKIT_SHAPES, CHANNEL_INDEX, new_pose
from mien.render.draw_calls import MAX_DRAW_CALLS
from mien.render.gles import GlesRenderer
from mien.render.scene import Background

WIDTH, HEIGHT = 270, 480
# A background of one colour that no face has, so that the silhouette can be told from it.
KEY = Background(top=(0, 1, 0), bottom=(0, 1, 0), glow=(0, 0, 0))


@pytest.fixture(scope="module")
def avatar() -> Mesh:
    return load_avatar()


@pytest.fixture(scope="module")
def renderer(avatar: Mesh) -> Iterator[GlesRenderer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SDL_VIDEODRIVER", "offscreen")
        opened = GlesRenderer(avatar, width=WIDTH, height=HEIGHT, background=KEY)
        yield opened
        opened.close()


def rendered(renderer: GlesRenderer, **channels: float) -> np.ndarray:
    pose = new_pose()
    for name, value in channels.items():
        pose[CHANNEL_INDEX[name]] = value
    renderer.draw(pose)
    pixels = renderer.capture().astype(int)
    renderer.present()
    return pixels


def silhouette(pixels: np.ndarray) -> np.ndarray:
    return ~((pixels[..., 1] > 200) & (pixels[..., 0] < 60) & (pixels[..., 2] < 60))


def test_the_face_fills_the_screen_and_stands_in_the_middle(renderer: GlesRenderer) -> None:
    shape = silhouette(rendered(renderer))
    assert 0.25 < shape.mean() < 0.85
    columns = np.flatnonzero(shape[HEIGHT // 3])
    assert abs(columns.mean() - WIDTH / 2) < 0.06 * WIDTH
    assert not shape[:4].any()
    assert not shape[HEIGHT // 3, [0, -1]].any()


def test_light_leaves_neither_black_holes_nor_burnt_skin(renderer: GlesRenderer) -> None:
    pixels = rendered(renderer)
    shape = silhouette(pixels)
    assert (pixels[shape].max(axis=1) >= 253).mean() < 0.05
    assert 60 < np.median(pixels[shape].max(axis=1)) < 240


@pytest.mark.parametrize("shape", ARKIT_SHAPES)
def test_every_shape_is_seen(renderer: GlesRenderer, shape: str) -> None:
    others = {"jawOpen": 0.3} if shape in ("mouthClose", "tongueOut") else {}
    change = np.abs(rendered(renderer, **others, **{shape: 1.0}) - rendered(renderer, **others)).max(axis=-1)
    assert (change > 12).sum() > 15


def test_few_draw_calls(renderer: GlesRenderer) -> None:
    assert renderer.draw_calls <= MAX_DRAW_CALLS
