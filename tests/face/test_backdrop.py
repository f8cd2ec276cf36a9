"""The configured background: colours, pictures, nonsense; as drawn, and how a picture covers a screen."""

import os
from pathlib import Path

import numpy as np
import pytest

from mien.errors import DisplayError
from mien.face.backdrop import read_background
from mien.face.opening import load_background
from mien.render.scene import Background
from mien.render.screen_passes import cover

os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")


def png(path: Path, pixels: np.ndarray) -> Path:
    import pygame

    pygame.image.save(pygame.surfarray.make_surface(pixels.swapaxes(0, 1)), str(path))
    return path


def test_nothing_asked_leaves_it_to_the_avatar() -> None:
    assert read_background("") is None


def test_one_colour_and_two() -> None:
    assert read_background("#ff0000") == Background(top=(1, 0, 0), bottom=(1, 0, 0), glow=(0, 0, 0))
    assert read_background("#ff0000,#0000FF") == Background(top=(1, 0, 0), bottom=(0, 0, 1), glow=(0, 0, 0))


def test_a_picture_is_read_top_row_first_and_a_large_one_is_reduced(tmp_path: Path) -> None:
    pixels = np.zeros((40, 3000, 3), np.uint8)
    pixels[:20] = (200, 10, 10)
    found = read_background(str(png(tmp_path / "hall.png", pixels)))
    assert found is not None
    assert found.picture is not None
    assert found.picture.shape[1] == 1920
    assert abs(int(found.picture[0, 0, 0]) - 200) < 5
    assert found.picture[-1, 0, 0] == 0


@pytest.mark.parametrize("asked", ["#ff00", "red", "/nowhere/hall.png", "#ff0000;#00ff00"])
def test_what_is_no_background_is_refused_and_the_avatars_own_is_shown(
    asked: str, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(DisplayError):
        read_background(asked)
    assert load_background(asked) is None
    assert "face.background" in caplog.text


def test_a_text_file_is_no_picture(tmp_path: Path) -> None:
    path = tmp_path / "hall.png"
    path.write_text("hello")
    with pytest.raises(DisplayError, match="no PNG or JPEG"):
        read_background(str(path))


def test_a_picture_covers_the_screen_without_distortion() -> None:
    assert cover((100, 200, 4), 1.0) == (0.5, 1.0)
    assert cover((200, 100, 4), 1.0) == (1.0, 0.5)
    assert cover((100, 200, 4), 2.0) == (1.0, 1.0)


@pytest.mark.parametrize("quality", ["full", "low"])
def test_a_picture_is_drawn_upright_behind_the_face(tmp_path: Path, quality: str) -> None:
    from mien.core.pose import new_pose
    from mien.render.gles import QUALITIES, GlesRenderer
    from rigs.head_mesh import make_mesh

    tier = quality if quality in QUALITIES else QUALITIES[-1]
    pixels = np.zeros((64, 64, 3), np.uint8)
    pixels[:32], pixels[32:, :32] = (255, 0, 0), (0, 255, 0)
    background = read_background(str(png(tmp_path / "hall.png", pixels)))
    try:
        renderer = GlesRenderer(make_mesh(), width=96, height=96, samples=0, background=background, quality=tier)
    except DisplayError as error:
        pytest.skip(f"no GLES context: {error}")
    renderer.draw(new_pose())
    image = renderer.capture().astype(int)
    renderer.close()
    np.testing.assert_allclose(image[2, 2], (255, 0, 0), atol=3)
    np.testing.assert_allclose(image[-3, 2], (0, 255, 0), atol=3)
    np.testing.assert_allclose(image[-3, -3], (0, 0, 0), atol=3)
