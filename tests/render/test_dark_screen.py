"""Dim and dark on a real context (llvmpipe): what the screen shows, and that drawing lights it again."""

import numpy as np
import pytest

from mien.core.pose import new_pose
from mien.errors import DisplayError
from mien.render import gles as gles_module
from mien.render.gles import GlesRenderer


class Switch:
    """A power switch that records its calls. takes: whether the display obeys."""

    def __init__(self, takes: bool) -> None:
        self.told: list[bool] = []
        self.closed = False
        self._takes = takes

    def switch(self, on: bool) -> bool:
        self.told.append(on)
        return self._takes

    def close(self) -> None:
        self.closed = True


def drawn(renderer: GlesRenderer) -> np.ndarray:
    renderer.draw(new_pose())
    pixels = renderer.capture().astype(float)
    renderer.present()
    return pixels


@pytest.mark.parametrize("brightness", [0.5, 0.1, 0.0])
def test_brightness_multiplies_the_whole_frame_captions_and_all(gles: GlesRenderer, brightness: float) -> None:
    overlay = gles.open_overlay([(32, 16)])
    overlay.load(0, np.full((16, 32, 4), 255, np.uint8))
    overlay.place(0, 4, 4, 1.0)
    bright = drawn(gles)
    gles.set_brightness(brightness)
    assert np.abs(drawn(gles) - brightness * bright).max() <= 1.5
    gles.set_brightness(1.0)
    assert np.array_equal(drawn(gles), bright)


def test_at_full_brightness_there_is_no_veil_to_draw(gles: GlesRenderer) -> None:
    gles.set_brightness(1.0)
    drawn(gles)
    assert gles._dim is None


def test_offscreen_a_dark_screen_is_black_and_says_that_it_is_not_switched_off(gles: GlesRenderer) -> None:
    before = drawn(gles)
    assert [gles.blank() for _ in range(3)] == [False] * 3
    assert gles.capture().max() == 0
    assert np.array_equal(drawn(gles), before)


@pytest.mark.parametrize("takes", [True, False])
def test_a_screen_that_can_be_switched_is_told_once_and_lit_by_the_next_frame(
    gles: GlesRenderer, takes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    switch = Switch(takes)
    monkeypatch.setattr(gles_module, "power_of", lambda _: switch)
    assert [gles.blank() for _ in range(3)] == [takes] * 3
    assert switch.told == [False]
    drawn(gles)
    assert switch.told == ([False, True] if takes else [False])
    drawn(gles)
    gles.blank()
    assert switch.told[-1] is False
    gles.close()
    assert switch.closed
    assert switch.told[-1] is takes, "whoever draws next finds the screen lit"
    with pytest.raises(DisplayError):
        gles.blank()


def test_a_frame_after_a_rest_does_not_judge_the_quality(gles: GlesRenderer, monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[float] = []

    class Governor:
        def add(self, frame_ms: float) -> object:
            judged.append(frame_ms)
            return gles._tier

    monkeypatch.setattr(gles, "_governor", Governor())
    drawn(gles)
    assert len(judged) == 1
    gles.rested()
    drawn(gles)
    assert len(judged) == 1
    drawn(gles)
    assert len(judged) == 2
