"""The operator's logo: read, placed, drawn, replaced; and the drift of what stands still."""

import os
from pathlib import Path

import numpy as np
import pytest

from mien.config import parse_config
from mien.core.pose import new_pose
from mien.core.stats import Counters
from mien.errors import DisplayError
from mien.face.overlay.annotations import Annotations
from mien.face.overlay.drift import REACH, STEP_NS, drift
from mien.face.overlay.logo import LOOK_EVERY_NS, MAX_FILE_BYTES, SAFE, Logo, read_logo
from mien.face.state import CueStore
from mien.render.base import AS_PICTURE
from mien.render.gles import GlesRenderer
from mien.units import NS_PER_S
from rigs.head_mesh import make_mesh

os.environ.setdefault("SDL_VIDEODRIVER", "offscreen")
RED, CLEAR = (255, 0, 0, 255), (0, 255, 0, 0)


def png(path: Path, width: int, height: int, color: tuple[int, ...]) -> Path:
    import pygame

    surface = pygame.Surface((width, height), pygame.SRCALPHA)
    surface.fill(color)
    pygame.image.save(surface, str(path))
    return path


class Screen:
    """An overlay that remembers what was loaded and where it was placed."""

    width, height, stale = 200, 400, False

    def __init__(self) -> None:
        self.loaded: list[np.ndarray] = []
        self.placed: list[tuple[object, ...]] = []

    def load(self, layer: int, image: np.ndarray) -> None:
        self.loaded.append(image)

    def place(self, *what: object) -> None:
        self.placed.append(what)

    def hide(self, layer: int) -> None:
        raise AssertionError("a logo is never hidden")


def test_a_logo_is_premultiplied_and_reduced_to_its_share_of_the_screen(tmp_path: Path) -> None:
    found = read_logo(png(tmp_path / "logo.png", 400, 100, (200, 100, 0, 128)), (60, 40))
    assert found.shape == (15, 60, 4)
    assert np.abs(found[7, 30].astype(int) - (100, 50, 0, 128)).max() <= 2


def test_what_is_no_logo_is_refused(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_text("no picture")
    (tmp_path / "large.png").write_bytes(bytes(MAX_FILE_BYTES + 1))
    for name, reason in (("logo.png", "is no PNG"), ("large.png", "more than"), ("none.png", "cannot be read")):
        with pytest.raises(DisplayError, match=reason):
            read_logo(tmp_path / name, (60, 40))


@pytest.mark.parametrize(
    ("corner", "left", "top"),
    [("top_left", 8, 8), ("top_right", 182, 8), ("bottom_left", 8, 387), ("bottom_right", 182, 387)],
)
def test_it_stands_in_its_corner_within_the_safe_area(tmp_path: Path, corner: str, left: int, top: int) -> None:
    screen = Screen()
    Logo(png(tmp_path / "logo.png", 10, 5, RED), corner, 4).step(NS_PER_S, screen)
    assert round(SAFE * 200) == 8
    assert screen.placed == [(4, left, top, 1.0, AS_PICTURE)]


def test_a_new_file_is_shown_and_a_broken_one_is_not(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path, screen = png(tmp_path / "logo.png", 10, 5, RED), Screen()
    logo = Logo(path, "top_left", 0)
    logo.step(0, screen)
    logo.step(LOOK_EVERY_NS, screen)
    assert len(screen.loaded) == 1
    path.write_text("half a copy")
    for at in (2, 3, 4):
        logo.step(at * LOOK_EVERY_NS, screen)
    assert len(screen.loaded) == 1
    assert caplog.text.count("face.logo cannot be shown") == 1
    png(path, 20, 5, RED)
    logo.step(5 * LOOK_EVERY_NS, screen)
    assert [image.shape[1] for image in screen.loaded] == [10, 20]


def test_a_logo_that_comes_later_is_shown_then(tmp_path: Path) -> None:
    screen = Screen()
    logo = Logo(tmp_path / "logo.png", "top_left", 0)
    logo.step(0, screen)
    assert not screen.placed
    png(tmp_path / "logo.png", 10, 5, RED)
    logo.step(LOOK_EVERY_NS, screen)
    assert screen.placed


def test_it_is_drawn_in_its_own_colours_and_clear_where_it_is_clear(tmp_path: Path) -> None:
    import pygame

    surface = pygame.Surface((20, 10), pygame.SRCALPHA)
    surface.fill(CLEAR)
    surface.fill(RED, (0, 0, 10, 10))
    pygame.image.save(surface, str(tmp_path / "logo.png"))
    face = {"logo": str(tmp_path / "logo.png"), "width": 200, "height": 300}
    config = parse_config({"face": face}, "test")
    renderer = GlesRenderer(make_mesh(), width=200, height=300, samples=0)
    pose = new_pose()
    renderer.draw(pose)
    before = renderer.capture()
    renderer.present()
    annotations = Annotations(config, renderer, CueStore(), Counters())
    annotations.step(NS_PER_S, None, 0, voice=None, motion_lost=False)
    renderer.draw(pose)
    after = renderer.capture()
    renderer.close()
    assert (after[8:18, 8:18] == RED[:3]).all()
    np.testing.assert_array_equal(after[8:18, 18:28], before[8:18, 18:28])


def test_drift_begins_at_rest_moves_a_pixel_at_a_time_and_visits_every_place() -> None:
    places = [drift(step * STEP_NS) for step in range(4 * REACH * REACH)]
    assert places[0] == (0, 0)
    assert drift(STEP_NS - 1) == (0, 0)
    assert set(places) == {(x, y) for x in range(REACH + 1) for y in range(REACH + 1)}
    for one, other in zip(places, places[1:] + places[:1], strict=True):
        assert max(abs(one[0] - other[0]), abs(one[1] - other[1])) <= 1
