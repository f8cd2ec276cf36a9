"""Overlay images over the face, by their pixels."""

import numpy as np
import pytest

from mien.core.mesh import Mesh
from mien.core.pose import new_pose
from mien.render.draw_calls import MAX_DRAW_CALLS
from mien.render.gles import GlesRenderer

SIZES = ((100, 40), (60, 20))


def shot(renderer: GlesRenderer) -> np.ndarray:
    renderer.draw(new_pose())
    pixels = renderer.capture().astype(int)
    renderer.present()
    return pixels


def ink(width: int, height: int, word: int = 0) -> np.ndarray:
    image = np.zeros((height, width, 4), dtype=np.uint8)
    image[..., 0] = 255
    image[..., 2] = word
    return image


def test_nothing_placed_changes_no_pixel_and_draws_no_call(gles: GlesRenderer) -> None:
    before = shot(gles)
    overlay = gles.open_overlay(SIZES)
    overlay.load(0, ink(40, 20))
    np.testing.assert_array_equal(shot(gles), before)


def test_an_image_covers_exactly_its_pixels(gles: GlesRenderer) -> None:
    before = shot(gles)
    overlay = gles.open_overlay(SIZES)
    overlay.load(1, ink(30, 12))
    overlay.place(1, 50, 100, 1.0)
    after = shot(gles)
    covered = np.zeros(before.shape[:2], dtype=bool)
    covered[100:112, 50:80] = True
    assert after[covered].min() > 240
    np.testing.assert_array_equal(after[~covered], before[~covered])
    overlay.hide(1)
    np.testing.assert_array_equal(shot(gles), before)


def test_layers_lie_side_by_side_and_keep_their_images(gles: GlesRenderer) -> None:
    overlay = gles.open_overlay(SIZES)
    overlay.load(0, ink(10, 10))
    overlay.load(1, np.full((10, 10, 4), (0, 0, 0, 255), dtype=np.uint8))
    overlay.place(0, 5, 5, 1.0)
    overlay.place(1, 105, 5, 1.0)
    pixels = shot(gles)
    assert pixels[5:15, 5:15].min() > 240
    assert pixels[5:15, 105:115].max() < 20


def test_words_to_come_are_dim_and_opacity_is_of_all(gles: GlesRenderer) -> None:
    overlay = gles.open_overlay(SIZES)
    image = np.concatenate([ink(20, 20, word) for word in range(3)], axis=1)
    image[..., 3] = 255
    overlay.load(0, image)
    overlay.place(0, 10, 10, 1.0, progress=1.5, ahead=0.25)
    row = shot(gles)[20, :, 1]
    heard, now, ahead = row[20], row[40], row[60]
    assert heard > 240
    assert 130 < now < 200
    assert 50 < ahead < 90
    image[..., :2] = 255
    overlay.load(0, image)
    overlay.place(0, 10, 10, 1.0, progress=2.0, ahead=0.0)
    gone = shot(gles)[20, 60]
    image[..., :2] = 0
    overlay.load(0, image)
    overlay.place(0, 10, 10, 1.0)
    np.testing.assert_array_equal(gone, shot(gles)[20, 60])  # neither ink nor shade of a word that is not shown
    overlay.place(0, 10, 10, 0.0)
    assert shot(gles)[20, 20, 1] < 240


def test_a_plate_lets_the_face_through(gles: GlesRenderer) -> None:
    before = shot(gles)[20:30, 20:30]
    overlay = gles.open_overlay(SIZES)
    overlay.load(0, np.full((40, 40, 4), (0, 0, 0, 128), dtype=np.uint8))
    overlay.place(0, 10, 10, 1.0)
    under = shot(gles)[20:30, 20:30]
    np.testing.assert_allclose(under, before * 0.5 + 6, atol=5)


def test_larger_than_reserved_is_refused(gles: GlesRenderer) -> None:
    with pytest.raises(ValueError, match="100x40"):
        gles.open_overlay(SIZES).load(0, ink(101, 10))


def test_with_it_the_calls_stay_few(gles: GlesRenderer) -> None:
    gles.open_overlay(SIZES)
    assert gles.draw_calls <= MAX_DRAW_CALLS


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_it_is_upright_on_a_screen_that_hangs_turned(mesh: Mesh, monkeypatch: pytest.MonkeyPatch, turns: int) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    renderer = GlesRenderer(mesh, width=160, height=120, quarter_turns=turns)
    try:
        overlay = renderer.open_overlay(SIZES)
        assert (overlay.width, overlay.height) == ((120, 160) if turns % 2 else (160, 120))
        image = np.full((10, 40, 4), (0, 0, 0, 255), dtype=np.uint8)
        image[:, :10, 0] = 255
        overlay.load(0, image)
        overlay.place(0, 20, 30, 1.0)
        upright = np.rot90(shot(renderer), turns)
        assert upright[30:40, 20:30].min() > 240
        assert upright[30:40, 31:60].max() < 20
    finally:
        renderer.close()
