"""Draws buttons as overlay images: text by Pango, plate, outline, the ring of the focus."""

import logging
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from mien.core.bus import Choices
from mien.errors import TextError
from mien.face.overlay.button_grid import LINES, SCALES, Box, ButtonGrid
from mien.face.overlay.qr_code import draw_qr
from mien.text.clean import clean, without_symbols
from mien.text.layout import Layout, Mask, draw_plate
from mien.text.typesetter import Image, soften

log = logging.getLogger("mien.face")

PLATE: Final = 0.9  # nearly opaque: the contrast of the text must not depend on the background
OUTLINE: Final = 0.62
RADIUS: Final = 0.24  # of a corner, relative to the height of a button of one line
_SPACING: Final = 0.98


@dataclass(frozen=True, slots=True, eq=False)
class Button:
    """One button. plain, chosen: its overlay images; chosen is inverted. shortened: its text is not there in full."""

    id: str
    box: Box
    plain: Image
    chosen: Image
    shortened: bool


@dataclass(frozen=True, slots=True, eq=False)
class ButtonSet:
    """The buttons of one offer. rings: the image that frames each while it has the focus.

    qr: the picture of its QR code, at qr_box; None where it has none, or it cannot be drawn.
    """

    offer: Choices
    buttons: tuple[Button, ...]
    rings: tuple[Image, ...]
    qr: Image | None = None
    qr_box: Box | None = None

    @property
    def shortened(self) -> tuple[str, ...]:
        """Ids of those whose text is not there in full."""
        return tuple(button.id for button in self.buttons if button.shortened)


class ButtonMaker:
    """Makes the images of one offer at a time. Use it on the thread that created it."""

    def __init__(self, grid: ButtonGrid, *, numbers: bool) -> None:
        """numbers: show each button's key. Raises TextError if Pango is missing."""
        self._grid = grid
        self._numbers = numbers
        self._pens = {scale: _Pen(grid, scale, numbers=numbers) for scale in SCALES}
        self._made: ButtonSet | None = None
        self._qr_trouble = ""

    def make(self, offer: Choices) -> ButtonSet:
        """The buttons of an offer. Those of the same texts are not drawn again."""
        before = self._made
        if before is None or (before.offer.items, before.offer.qr) != (offer.items, offer.qr):
            self._made = self._draw(offer)
        elif before.offer is not offer:
            self._made = replace(before, offer=offer)
        assert self._made is not None
        return self._made

    def _draw(self, offer: Choices) -> ButtonSet:
        grid, first = self._grid, self._pens[SCALES[0]]
        texts = [first.readable(text) for _, text in offer.items]
        for pen in self._pens.values():
            set_ = [pen.lines(text, grid.button_width(len(texts))) for text, _ in texts]
            boxes = grid.boxes([lines for lines, _ in set_], pen.scale)
            if grid.fits(boxes) and not any(cut for _, cut in set_):
                break
        buttons = []
        for number, ((name, _), (text, lost), box) in enumerate(zip(offer.items, texts, boxes, strict=True), start=1):
            plate, line = self._plate(box)
            ink = np.zeros_like(plate)
            cut = pen.write(ink, text, number)
            buttons.append(Button(name, box, _plain(ink, plate, line), _chosen(ink, plate), lost or cut))
        rings = {button.box.height: self._ring(button.box) for button in buttons}
        qr, qr_box = self._code(offer.qr, boxes)
        return ButtonSet(offer, tuple(buttons), tuple(rings[button.box.height] for button in buttons), qr, qr_box)

    def _code(self, text: str, boxes: list[Box]) -> tuple[Image | None, Box | None]:
        """The QR code. What is in its way is logged, and told by ChoicesShown; the buttons are shown without it."""
        if not text:
            return None, None
        grid = self._grid
        try:
            image = draw_qr(text, grid.px_per_mm, grid.largest_qr)
            box = grid.qr_box(len(image))
            if any(box.touches(button, grid.gap_px) for button in boxes):
                raise TextError("the buttons leave no room for the QR code: offer at most three, or a shorter text")
        except TextError as error:
            if str(error) != self._qr_trouble:
                log.error("%s", error)
            self._qr_trouble = str(error)
            return None, None
        self._qr_trouble = ""
        return image, box

    def _plate(self, box: Box) -> tuple[Mask, Mask]:
        plate = np.zeros((box.height, box.width), dtype=np.uint8)
        draw_plate(plate, self._radius_px)
        return plate, _outline(plate, self._grid.stroke_px, self._radius_px)

    def _ring(self, box: Box) -> Image:
        """A bright ring with a dark edge on both sides, visible on any background."""
        grid = self._grid
        width, height = grid.ring_size(box.width, box.height)
        reach, edge = grid.ring_reach, grid.stroke_px
        whole = np.zeros((height, width), dtype=np.uint8)
        draw_plate(whole, self._radius_px + reach)
        outer = _inset(whole, edge, self._radius_px + reach - edge)
        inner = _inset(whole, reach - edge, self._radius_px + edge)
        image = np.zeros((height, width, 4), dtype=np.uint8)
        image[..., 0] = np.minimum(outer, 255 - inner)
        image[..., 3] = np.minimum(whole, 255 - _inset(whole, reach, self._radius_px))
        return image

    @property
    def _radius_px(self) -> float:
        return RADIUS * self._grid.button_height(1)


class _Pen:
    """Sets the text of buttons at one scale."""

    def __init__(self, grid: ButtonGrid, scale: float, *, numbers: bool) -> None:
        self.scale = scale
        font_px = grid.font_px(scale)
        self._padding_px = grid.padding_px(scale)
        self._number_px = round(1.1 * font_px) if numbers else 0
        self._layout = Layout(font_px, weight="Semi-Bold", line_spacing=_SPACING)
        self._layout.shorten(LINES)
        self._number = Layout(font_px, weight="Bold")

    def lines(self, text: str, width_px: int) -> tuple[int, bool]:
        """How many lines the text takes on a button of this width, and whether it is shortened."""
        self._layout.set(text, width_px - 2 * self._padding_px - self._number_px)
        return self._layout.line_count, self._layout.shortened

    def write(self, ink: Mask, text: str, number: int) -> bool:
        """Write a button's text. Returns whether it was shortened."""
        height, width = ink.shape
        _, shortened = self.lines(text, width)
        self._layout.draw(ink, self._padding_px + self._number_px, (height - self._layout.size[1]) // 2)
        if self._number_px:
            self._number.set(str(number))
            self._number.draw(ink, self._padding_px, (height - self._number.size[1]) // 2)
        return shortened

    def readable(self, text: str) -> tuple[str, bool]:
        """The text as it is shown, and whether it lost letters for which no font is installed."""
        text = clean(text)
        if not self._lacks(text):
            return text, False
        missing = "".join(character for character in sorted(set(text)) if self._lacks(character))
        text, letters = without_symbols(text, missing)
        return clean(text), bool(letters)

    def _lacks(self, text: str) -> bool:
        self._layout.set(text)
        return bool(self._layout.unknown)


def _inset(mask: Mask, by_px: int, radius_px: float) -> Mask:
    """A rounded rectangle, by_px smaller on each side, in a mask of the same size."""
    height, width = mask.shape
    inner = np.zeros((height - 2 * by_px, -(-(width - 2 * by_px) // 4) * 4), dtype=np.uint8)
    narrow = np.zeros((height - 2 * by_px, width - 2 * by_px), dtype=np.uint8)
    if inner.shape == narrow.shape:
        draw_plate(narrow, radius_px)
    else:  # rows of a multiple of 4 bytes are drawn on; the middle columns repeat, so that one may be left out
        draw_plate(inner, radius_px)
        half = narrow.shape[1] // 2
        narrow[:, :half], narrow[:, half:] = inner[:, :half], inner[:, half - narrow.shape[1] :]
    out = np.zeros_like(mask)
    out[by_px : height - by_px, by_px : width - by_px] = narrow
    return out


def _outline(plate: Mask, stroke_px: int, radius_px: float) -> Mask:
    line: Mask = np.minimum(plate, 255 - _inset(plate, stroke_px, max(1.0, radius_px - stroke_px)))
    return line


def _plain(ink: Mask, plate: Mask, line: Mask) -> Image:
    image = np.zeros((*ink.shape, 4), dtype=np.uint8)
    image[..., 0] = np.maximum(ink, (line * OUTLINE).astype(np.uint8))
    image[..., 1] = soften(ink)
    image[..., 3] = (plate * PLATE).astype(np.uint8)
    return image


def _chosen(ink: Mask, plate: Mask) -> Image:
    """Dark text on a bright plate."""
    image = np.zeros((*ink.shape, 4), dtype=np.uint8)
    image[..., 0] = np.minimum(plate, 255 - ink)
    image[..., 3] = plate
    return image
