"""The sign of a person elsewhere by its pixels: contrast, one draw call, the face free, no text over a QR code."""

import numpy as np
import pytest

from mien.core import bus
from mien.core.mesh import Mesh
from mien.face.overlay.annotations import Layout
from mien.render.scene import Background
from render.test_buttons_on_screen import (
    BACKGROUNDS,
    OTHER_AA,
    SCREENS,
    TEXT_AA,
    Screen,
    contrast,
    luminance,
    open_screen,
)

BOTH = bus.AttendSign(epoch=1, listening=True, speaking=True)


@pytest.fixture(params=SCREENS)
def size(request) -> tuple[int, int]:
    return SCREENS[request.param]


def attended(screen: Screen, sign: bus.AttendSign) -> np.ndarray:
    """A frame with the sign."""
    step = screen.annotations.step
    screen.annotations.step = lambda *args, **fields: step(*args, **fields, attend=sign)
    try:
        return screen.frame()
    finally:
        screen.annotations.step = step


def opened(mesh: Mesh, size: tuple[int, int], color: tuple[float, ...], diagonal: float = 10.1) -> Screen:
    return open_screen(mesh, size, Background(top=color, bottom=color, glow=(0.0, 0.0, 0.0)), diagonal)


@pytest.mark.parametrize("background", BACKGROUNDS)
def test_sign_and_text_are_legible_on_any_background_and_leave_the_face_free(mesh, size, background, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    screen = opened(mesh, size, BACKGROUNDS[background])
    try:
        before = screen.frame().astype(int)
        frame = attended(screen, BOTH)
        layout = Layout(*size)
        left, top = layout.attend_corner(rows=0)
        inner = frame[top + 4 : top + layout.ear_px - 4, left + 4 : left + layout.ear_px - 4].reshape(-1, 3)
        order = np.argsort(luminance(inner))
        assert contrast(inner[order[:40]].mean(axis=0), inner[order[-40:]].mean(axis=0)) >= OTHER_AA
        changed = np.abs(frame.astype(int) - before).max(axis=2) > 8
        rows, columns = np.nonzero(changed[:, : left - 2])
        plate = frame[rows.min() + 3 : rows.max() - 3, columns.min() + 6 : columns.max() - 6].reshape(-1, 3)
        text = plate[np.argsort(luminance(plate))[-40:]].mean(axis=0)
        assert contrast(text, np.median(plate, axis=0)) >= TEXT_AA
        rows, columns = np.nonzero(changed)
        assert columns.min() > size[0] / 4
        assert rows.max() < size[1] / 8
    finally:
        screen.renderer.close()


def test_it_costs_one_draw_call_and_none_when_nobody_attends(mesh, size, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    screen = opened(mesh, size, BACKGROUNDS["grey"])
    calls: list[int] = []
    gl = screen.renderer._gl
    inner = gl.draw_arrays
    monkeypatch.setattr(gl, "draw_arrays", lambda *args: (calls.append(args[2]), inner(*args)))
    try:
        screen.frame()
        alone = len(calls)
        calls.clear()
        attended(screen, BOTH)
        assert len(calls) == alone + 1
        assert calls.count(12) == 1, "two rectangles of two triangles"
        calls.clear()
        attended(screen, bus.AttendSign(epoch=1))
        assert len(calls) == alone
    finally:
        screen.renderer.close()


def test_its_text_gives_way_to_a_qr_code(mesh, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    screen = opened(mesh, SCREENS["portrait"], BACKGROUNDS["grey"], diagonal=5.0)
    try:
        screen.choices = bus.Choices(epoch=1, number=1, items=(("bye", "Goodbye"),), qr="https://museum.example/help")
        without = screen.frame()
        frame = attended(screen, BOTH)
        shown = screen.annotations.buttons.shown
        assert shown is not None
        box = shown.qr_box
        assert box is not None
        layout = Layout(*SCREENS["portrait"])
        assert box.left + box.width > layout.width - 2 * layout.margin_px - layout.note.width_px, "they would meet"
        code = (slice(box.top, box.top + box.height), slice(box.left, box.left + box.width))
        assert (frame[code] == without[code]).all()
        assert (frame != without).any(), "the sign"
    finally:
        screen.renderer.close()
