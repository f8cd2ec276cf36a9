"""The QR code beside the buttons: what is drawn, and what is told where it cannot be."""

import sys

import numpy as np
import pytest
import segno

from face.test_choice_buttons import RING, Rig
from mien.errors import TextError
from mien.face.overlay import qr_code
from mien.face.overlay.button_grid import ButtonGrid
from mien.render.base import AS_PICTURE

QR = RING + 1
URL = "https://museum.example/help"
ONE = (("goodbye", "Goodbye"),)


def offer(rig, qr, items=ONE):
    rig.qr = qr
    rig.offer(items)


@pytest.mark.parametrize("px_per_mm", [2.0, 4.03, 5.7, 8.26, 15.0])
@pytest.mark.parametrize("text", [URL, "x" * 300])
def test_it_is_25_mm_wide_with_four_modules_of_white_around(px_per_mm, text):
    modules = np.array(segno.make(text, error="m", micro=False).matrix, dtype=bool)
    image = qr_code.draw_qr(text, px_per_mm, 10_000)
    side = len(image)
    module = side // (len(modules) + 8)
    assert image.shape == (side, side, 4)
    assert side == module * (len(modules) + 8)
    assert module * len(modules) >= 25 * px_per_mm
    assert module >= 2
    assert (image[..., 3] == 255).all()
    quiet = 4 * module
    assert (image[:quiet] == 255).all()
    assert (image[:, :quiet] == 255).all()
    assert (image[-quiet:] == 255).all()
    assert (image[:, -quiet:] == 255).all()
    middles = image[quiet + module // 2 : -quiet : module, quiet + module // 2 : -quiet : module, 0]
    assert ((middles == 0) == modules).all()
    assert side <= qr_code.largest_px(px_per_mm)


def test_it_comes_with_the_buttons_is_told_and_goes():
    rig = Rig()
    offer(rig, URL)
    placed, image = rig.overlay.shown[QR], rig.overlay.images[QR]
    assert (placed.opacity, placed.progress) == (1, AS_PICTURE)
    assert image.shape[0] == image.shape[1]
    assert [report.qr for report in rig.reports] == [True]
    offer(rig, "")
    assert QR not in rig.overlay.shown
    assert rig.shown() == [1]
    assert rig.reports[-1].qr is False
    offer(rig, URL)
    rig.offer(())
    assert QR not in rig.overlay.shown


def test_while_nothing_changes_it_is_loaded_once():
    rig = Rig()
    offer(rig, URL)
    uploads = rig.overlay.uploads
    rig.play(3000)
    assert rig.overlay.uploads == uploads


@pytest.mark.parametrize(
    ("text", "missing", "why"),
    [(URL, True, "pip install 'mien\\[visits\\]'"), ("x" * 3000, False, "cannot be made"), (URL, False, "no room")],
)
def test_where_it_cannot_be_drawn_the_buttons_are_and_it_is_told(monkeypatch, caplog, text, missing, why):
    if missing:
        monkeypatch.setitem(sys.modules, "segno", None)
    rig = Rig(1280, 720)
    if why == "no room":
        monkeypatch.setattr(ButtonGrid, "qr_box", lambda *_: rig.box(1))
        rig.offer(ONE)
    offer(rig, text)
    offer(rig, text, (("again", "Once more"),))
    assert rig.shown() == [1]
    assert QR not in rig.overlay.shown
    assert {report.qr for report in rig.reports} == {False}
    (line,) = [record.getMessage() for record in caplog.records]  # once, not with every offer
    assert why.replace("\\", "") in line


def test_a_screen_that_is_too_small_for_25_mm_is_told():
    grid = ButtonGrid(320, 240, diagonal_inches=2.4)
    with pytest.raises(TextError, match=r"screen\.diagonal_inches"):
        qr_code.draw_qr(URL, grid.px_per_mm, grid.largest_qr)
