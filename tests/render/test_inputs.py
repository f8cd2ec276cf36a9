"""Fingers, mouse and keys: read from SDL's own events, upright however the screen hangs."""

import numpy as np
import pygame
import pytest

from mien.core.mesh import Mesh
from mien.core.pose import new_pose
from mien.render.base import Key, Pointer
from mien.render.gles import GlesRenderer
from mien.render.inputs import MOST, upright


def done(renderer: GlesRenderer, *events: tuple[int, dict[str, object]]) -> list[object]:
    for kind, fields in events:
        pygame.event.post(pygame.event.Event(kind, fields))
    return list(renderer.take_inputs())


def test_a_finger_comes_with_its_place_and_its_number(gles: GlesRenderer) -> None:
    gles.take_inputs()
    finger = {"touch_id": 1, "dx": 0.0, "dy": 0.0, "pressure": 1.0}
    events = [
        (pygame.FINGERDOWN, {**finger, "finger_id": 4, "x": 0.25, "y": 0.75}),
        (pygame.FINGERMOTION, {**finger, "finger_id": 4, "x": 0.5, "y": 0.75}),
        (pygame.FINGERUP, {**finger, "finger_id": 4, "x": 0.5, "y": 0.5}),
    ]
    assert done(gles, *events) == [
        Pointer("down", 0.25, 0.75, "touch", 4),
        Pointer("move", 0.5, 0.75, "touch", 4),
        Pointer("up", 0.5, 0.5, "touch", 4),
    ]
    assert list(gles.take_inputs()) == []


def test_the_mouse_counts_with_its_left_button_and_not_where_it_repeats_a_finger(gles: GlesRenderer) -> None:
    gles.take_inputs()
    events = [
        (pygame.MOUSEMOTION, {"pos": (30, 40), "rel": (1, 1), "buttons": (0, 0, 0), "touch": False}),
        (pygame.MOUSEBUTTONDOWN, {"pos": (30, 40), "button": 1, "touch": False}),
        (pygame.MOUSEBUTTONDOWN, {"pos": (30, 40), "button": 3, "touch": False}),
        (pygame.MOUSEBUTTONDOWN, {"pos": (30, 40), "button": 1, "touch": True}),
        (pygame.MOUSEMOTION, {"pos": (60, 40), "rel": (1, 1), "buttons": (1, 0, 0), "touch": False}),
        (pygame.MOUSEBUTTONUP, {"pos": (60, 80), "button": 1, "touch": False}),
    ]
    assert done(gles, *events) == [
        Pointer("down", 0.25, 0.25, "mouse"),
        Pointer("move", 0.5, 0.25, "mouse"),
        Pointer("up", 0.5, 0.5, "mouse"),
    ]


@pytest.mark.parametrize(
    ("key", "mod", "name"),
    [
        (pygame.K_1, 0, "1"),
        (pygame.K_KP6, 0, "6"),
        (pygame.K_TAB, 0, "next"),
        (pygame.K_TAB, pygame.KMOD_LSHIFT, "previous"),
        (pygame.K_UP, 0, "previous"),
        (pygame.K_RIGHT, 0, "next"),
        (pygame.K_KP_ENTER, 0, "choose"),
        (pygame.K_RETURN, 0, "choose"),
        (pygame.K_SPACE, 0, "choose"),
        (pygame.K_F5, 0, "other"),
    ],
)
def test_each_key_has_its_meaning(gles: GlesRenderer, key: int, mod: int, name: str) -> None:
    gles.take_inputs()
    down = (pygame.KEYDOWN, {"key": key, "mod": mod, "unicode": "", "scancode": 0})
    up = (pygame.KEYUP, {"key": key, "mod": mod, "unicode": "", "scancode": 0})
    assert done(gles, down, up) == [Key(name)]


def test_a_storm_between_two_frames_is_bounded(gles: GlesRenderer) -> None:
    gles.take_inputs()
    down = (pygame.KEYDOWN, {"key": pygame.K_1, "mod": 0, "unicode": "", "scancode": 0})
    assert len(done(gles, *[down] * 500)) == MOST


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_finger_on_a_screen_that_hangs_turned_is_where_the_eye_sees_it(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    """What is drawn at a place of the upright screen is touched at that place."""
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    renderer = GlesRenderer(mesh, width=160, height=120, quarter_turns=turns)
    try:
        renderer.draw(new_pose())
        bare = renderer.capture().astype(int)
        renderer.present()
        overlay = renderer.open_overlay(((8, 8),))
        overlay.load(0, np.full((8, 8, 4), 255, dtype=np.uint8))
        overlay.place(0, 20, 30, 1.0)
        renderer.draw(new_pose())
        rows, columns = np.nonzero(np.abs(renderer.capture() - bare).max(axis=2) > 5)
        renderer.present()
        found = Pointer("down", (columns.mean() + 0.5) / 160, (rows.mean() + 0.5) / 120, "touch")
        seen = upright(found, turns)
        assert isinstance(seen, Pointer)
        assert seen.x * overlay.width == pytest.approx(24, abs=1.5)
        assert seen.y * overlay.height == pytest.approx(34, abs=1.5)
    finally:
        renderer.close()
