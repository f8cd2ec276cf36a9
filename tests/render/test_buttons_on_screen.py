"""Buttons by their pixels, in portrait and landscape: contrast, size of the targets, room for the face, draw calls."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest

from mien.config import parse_config
from mien.core import bus
from mien.core.mesh import Mesh
from mien.core.pose import new_pose
from mien.core.stats import Counters
from mien.face.overlay.annotations import Annotations
from mien.face.overlay.button_grid import Box
from mien.face.state import CueStore
from mien.render.base import Key, Pointer
from mien.render.draw_calls import MAX_DRAW_CALLS
from mien.render.gles import GlesRenderer
from mien.render.scene import Background

MS = 1_000_000
TEXT_AA, OTHER_AA = 4.5, 3.0  # WCAG 2.2: 1.4.3 and 1.4.11
TARGET_MM = 9.0
TEXTS = (
    "Opening hours",
    "Tickets and prices",
    "Where are the toilets?",
    "Deutsch",
    "Say that again",
    "Talk to a person",
)
SCREENS = {"portrait": (720, 1280), "landscape": (1280, 720)}
BACKGROUNDS = {
    "black": (0.0, 0.0, 0.0),
    "grey": (0.33, 0.41, 0.46),
    "white": (1.0, 1.0, 1.0),
}


def luminance(rgb: np.ndarray) -> np.ndarray:
    """WCAG's relative luminance of sRGB 0..255."""
    share = np.asarray(rgb, dtype=float) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return linear @ (0.2126, 0.7152, 0.0722)


def contrast(one: np.ndarray, other: np.ndarray) -> float:
    low, high = sorted((float(luminance(one)), float(luminance(other))))
    return (high + 0.05) / (low + 0.05)


@dataclass
class Screen:
    renderer: GlesRenderer
    annotations: Annotations
    now_ms: int = 1000
    choices: bus.Choices | None = None

    def frame(self) -> np.ndarray:
        self.play(700)
        self.renderer.draw(new_pose())
        pixels = self.renderer.capture()
        self.renderer.present()
        return pixels

    def play(self, ms: int) -> None:
        anchor = bus.Anchor(epoch=1, media_ns=0, at_ns=0, until_ns=0, phase="idle")
        for _ in range(ms // 20):
            self.now_ms += 20
            self.annotations.step(self.now_ms * MS, anchor, 0, voice=None, motion_lost=False, choices=self.choices)
            if self.annotations.worker is not None:
                self.annotations.worker.do()

    def offer(self, *texts: str) -> None:
        items = tuple((f"c{n}", text) for n, text in enumerate(texts))
        self.choices = bus.Choices(epoch=1, number=1 if self.choices is None else self.choices.number + 1, items=items)

    def press(self, number: int) -> None:
        x, y = self.boxes[number].middle
        width, height = self.renderer.info.width, self.renderer.info.height
        self.annotations.buttons.take(Pointer("down", x / width, y / height, "touch"), self.now_ms * MS)

    @property
    def boxes(self) -> list[Box]:
        shown = self.annotations.buttons.shown
        assert shown is not None
        return [button.box for button in shown.buttons]


@pytest.fixture(params=SCREENS)
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    return SCREENS[request.param]


@pytest.fixture(params=BACKGROUNDS)
def screen(
    request: pytest.FixtureRequest, size: tuple[int, int], mesh: Mesh, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Screen]:
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    color = BACKGROUNDS[request.param]
    opened = open_screen(mesh, size, Background(top=color, bottom=color, glow=(0.0, 0.0, 0.0)))
    yield opened
    opened.renderer.close()


def open_screen(mesh: Mesh, size: tuple[int, int], background: Background, diagonal: float = 10.1) -> Screen:
    config = parse_config({"captions": {"enabled": True}, "screen": {"diagonal_inches": diagonal}}, "test")
    renderer = GlesRenderer(mesh, width=size[0], height=size[1], samples=0, background=background)
    return Screen(renderer, Annotations(config, renderer, CueStore(), Counters()))


def cut(pixels: np.ndarray, box: Box) -> np.ndarray:
    return pixels[box.top : box.top + box.height, box.left : box.left + box.width]


def test_text_outline_and_inversion_have_the_contrast_of_wcag_on_any_background(screen: Screen) -> None:
    screen.offer(*TEXTS)
    plain = screen.frame()
    screen.press(0)
    pressed = screen.frame()
    for box in screen.boxes:
        inner = cut(plain, box)[8:-8, 8:-8].reshape(-1, 3)
        plate = np.median(inner, axis=0)
        text = inner[np.argsort(luminance(inner))[-40:]].mean(axis=0)
        assert contrast(text, plate) >= 7  # AAA: 4.5 would do
        middle = box.top + box.height // 2
        outside = np.median(plain[middle - 10 : middle + 10, box.left - 6 : box.left - 2].reshape(-1, 3), axis=0)
        outline = plain[middle - 10 : middle + 10, box.left : box.left + 2].reshape(-1, 3).mean(axis=0)
        assert max(contrast(outline, plate), contrast(plate, outside)) >= OTHER_AA
    inner = cut(pressed, screen.boxes[0])[8:-8, 8:-8].reshape(-1, 3)
    plate, text = np.median(inner, axis=0), inner[np.argsort(luminance(inner))[:40]].mean(axis=0)
    assert contrast(text, plate) >= TEXT_AA
    assert contrast(plate, np.median(cut(plain, screen.boxes[0]).reshape(-1, 3), axis=0)) >= OTHER_AA


def test_the_focus_is_framed_by_a_ring_with_contrast_of_its_own(screen: Screen) -> None:
    screen.offer(*TEXTS)
    without = screen.frame()
    screen.annotations.buttons.take(Key("next"), screen.now_ms * MS)
    framed = screen.frame()
    box = screen.boxes[0]
    middle, reach = box.top + box.height // 2, 10
    row = framed[middle, box.left - reach : box.left].astype(int)
    bright, dark = row[luminance(row).argmax()], row[luminance(row).argmin()]
    assert contrast(bright, dark) >= OTHER_AA
    changed = np.abs(framed.astype(int) - without).max(axis=2) > 40
    rows, columns = np.nonzero(changed)
    assert rows.min() < box.top
    assert rows.max() >= box.top + box.height
    assert columns.min() < box.left
    assert columns.max() >= box.left + box.width
    assert not changed[box.top + 8 : box.top + box.height - 8, box.left + 8 : box.left + box.width - 8].any()


@pytest.mark.parametrize("diagonal", [7.0, 10.1, 21.5])
def test_targets_measure_nine_millimetres_and_do_not_touch(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], diagonal: float
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    screen = open_screen(mesh, size, Background(top=(1, 1, 1), bottom=(1, 1, 1), glow=(0, 0, 0)), diagonal)
    try:
        empty = screen.frame().astype(int)
        px_per_mm = float(np.hypot(*size)) / (diagonal * 25.4)
        for count in range(1, 7):
            screen.offer(*TEXTS[:count])
            changed = np.abs(screen.frame().astype(int) - empty).max(axis=2) > 8
            for box in screen.boxes:
                middle_x, middle_y = map(int, box.middle)
                high = _run(changed[:, box.left + 12], middle_y) / px_per_mm
                wide = _run(changed[middle_y], middle_x) / px_per_mm
                assert min(high, wide) >= TARGET_MM - 2 / px_per_mm
                assert box.left >= 0
                assert box.top >= 0
                assert box.left + box.width <= size[0]
                assert box.top + box.height <= size[1]
            covered = sum(box.width * box.height for box in screen.boxes)
            assert changed.sum() <= covered  # none lies on another, and nothing else is drawn
            assert changed.sum() >= 0.97 * covered
    finally:
        screen.renderer.close()


def _run(line: np.ndarray, at: int) -> int:
    """The length of the unbroken run of true values around a place."""
    before = np.nonzero(~line[:at])[0]
    after = np.nonzero(~line[at:])[0]
    return int((after[0] + at if len(after) else len(line)) - (before[-1] + 1 if len(before) else 0))


@pytest.mark.parametrize("texts", [TEXTS, ("Where can I find the toilets, please?",) * 6], ids=["usual", "long"])
def test_eyes_and_mouth_stay_free(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], texts: tuple[str, ...]
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    screen = open_screen(mesh, size, Background())
    try:
        empty = screen.frame().astype(int)
        screen.offer(*texts)
        changed = np.abs(screen.frame().astype(int) - empty).max(axis=2) > 8
        width, height = size
        if height > width:
            caption_px = 150
            assert not changed[: round(0.63 * height) + caption_px].any()
        else:
            assert not changed[:, round(0.33 * width) : round(0.67 * width)].any()
    finally:
        screen.renderer.close()


def test_they_share_the_draw_call_of_captions_and_signs(
    mesh: Mesh, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    screen = open_screen(mesh, size, Background())
    calls: list[int] = []
    try:
        gl = screen.renderer._gl
        inner = gl.draw_arrays
        monkeypatch.setattr(gl, "draw_arrays", lambda *args: (calls.append(args[2]), inner(*args)))
        screen.frame()
        bare = len(calls)
        screen.offer(*TEXTS)
        screen.frame()
        assert len(calls) - bare == bare + 1
        screen.offer()
        screen.frame()
        assert len(calls) == 3 * bare + 1
        assert screen.renderer.draw_calls <= MAX_DRAW_CALLS
    finally:
        screen.renderer.close()
