"""A QR code by the pixels of the frame: it is the code that was asked for, leaves the eyes free, costs no draw call."""

import numpy as np
import pytest
import segno
import zxingcpp

from mien.core import bus
from mien.core.mesh import Mesh
from mien.render.scene import Background
from render.test_buttons_on_screen import SCREENS, Screen, open_screen

URL = "https://museum.example/help"


@pytest.fixture(params=[(size, diagonal) for size in SCREENS for diagonal in (5.0, 10.1, 21.5)], ids=str)
def opened(request, mesh: Mesh, monkeypatch):
    monkeypatch.setenv("SDL_VIDEODRIVER", "offscreen")
    size, diagonal = request.param
    screen = open_screen(mesh, SCREENS[size], Background(), diagonal)
    yield screen, diagonal
    screen.renderer.close()


def ask(screen: Screen, qr: str, *texts: str) -> None:
    items = tuple((f"c{n}", text) for n, text in enumerate(texts))
    number = 1 if screen.choices is None else screen.choices.number + 1
    screen.choices = bus.Choices(epoch=1, number=number, items=items, qr=qr)


def test_the_modules_on_the_screen_are_those_of_the_code(opened):
    screen, diagonal = opened
    empty = screen.frame().astype(int)
    height, width = empty.shape[:2]
    ask(screen, URL, "Goodbye")
    frame = screen.frame()
    shown = screen.annotations.buttons.shown
    assert shown is not None
    box = shown.qr_box
    assert box is not None
    code = frame[box.top : box.top + box.height, box.left : box.left + box.width]
    modules = np.array(segno.make(URL, error="m", micro=False).matrix, dtype=bool)
    module = box.width // (len(modules) + 8)
    assert module * len(modules) / (np.hypot(width, height) / (diagonal * 25.4)) >= 25
    whole = np.kron(np.pad(modules, 4), np.ones((module, module), dtype=bool))
    assert (code == np.where(whole, 0, 255)[..., None]).all()
    changed = np.abs(frame.astype(int) - empty).max(axis=2) > 8
    if height > width:  # from above the eyes to the mouth, which ends above the buttons
        assert not changed[round(0.37 * height) : round(0.63 * height)].any()
    else:
        assert not changed[:, round(0.37 * width) : round(0.63 * width)].any()


def test_it_shares_the_draw_call_of_the_buttons_and_goes_with_them(opened, monkeypatch):
    screen, _ = opened
    calls: list[int] = []
    gl = screen.renderer._gl
    inner = gl.draw_arrays
    monkeypatch.setattr(gl, "draw_arrays", lambda *args: (calls.append(args[2]), inner(*args)))
    screen.frame()
    bare = len(calls)
    ask(screen, "", "Goodbye")
    screen.frame()
    with_button = len(calls) - bare
    ask(screen, URL, "Goodbye")
    screen.frame()
    assert len(calls) - bare - with_button == with_button == bare + 1
    ask(screen, "")
    before = len(calls)
    screen.frame()
    assert len(calls) - before == bare


@pytest.mark.parametrize(
    "text", [URL, "https://museum.example/" + "x" * 150, "Auskunft: Schalter 3, gleich dort drüben"]
)
def test_a_decoder_reads_it_from_the_frame(opened, text):
    screen, _ = opened
    ask(screen, text, "Goodbye", "Say that again")
    frame = np.ascontiguousarray(screen.frame())
    assert screen.annotations.buttons.shown.qr is not None
    assert [found.text for found in zxingcpp.read_barcodes(frame)] == [text]
