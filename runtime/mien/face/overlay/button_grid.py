"""Where buttons go on the screen: sizes, columns, corners. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mien.core.wire import MAX_CHOICES
from mien.face.overlay.qr_code import largest_px

TARGET_MM: Final = 9.0  # the least side of a target that a finger hits
MM_PER_INCH: Final = 25.4
LINES: Final = 2  # of text on a button; what is longer is shortened
SCALES: Final = (1.0, 0.9, 0.8)  # of the text, tried in this order until the buttons leave the mouth free
_LINE: Final = 1.42  # height of a line relative to the font
_WIDEST_PX: Final = 2000  # a texture of GLES 2.0 has 2048
_EYES_BEGIN: Final = 0.36  # of a portrait screen's height, and _FACE_BEGINS of a landscape screen's width:
_FACE_BEGINS: Final = 0.36  # a code in the upper left corner ends there
_MOUTH_ENDS: Final = 0.635  # of a portrait screen's height, from its top: nothing covers what is above


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the upright screen."""

    left: int
    top: int
    width: int
    height: int

    def holds(self, x: float, y: float, slop: float = 0.0) -> bool:
        """Whether a point is inside, or within `slop` pixels of it."""
        return (
            self.left - slop <= x < self.left + self.width + slop
            and self.top - slop <= y < self.top + self.height + slop
        )

    def touches(self, other: "Box", gap: int) -> bool:
        """Whether two rectangles are less than `gap` pixels apart."""
        return (
            self.left - gap < other.left + other.width
            and other.left - gap < self.left + self.width
            and self.top - gap < other.top + other.height
            and other.top - gap < self.top + self.height
        )

    @property
    def middle(self) -> tuple[float, float]:
        """The centre."""
        return self.left + self.width / 2, self.top + self.height / 2


class ButtonGrid:
    """Sizes on an upright screen of width x height pixels.

    On a portrait screen the buttons are rows at the bottom, and captions move above them; on a landscape one they are
    columns at the sides of the face, above the captions.
    """

    def __init__(
        self, width: int, height: int, *, diagonal_inches: float, caption_px: int = 0, size: float = 1.0
    ) -> None:
        """diagonal_inches: of the visible screen. caption_px: height to leave free for captions. size: of the text."""
        self.width, self.height = width, height
        unit = math.sqrt(width * height)
        self.px_per_mm = px_per_mm = math.hypot(width, height) / (diagonal_inches * MM_PER_INCH)
        self.portrait = height > width
        self.least_px = -(-math.ceil(TARGET_MM * px_per_mm) // 4) * 4
        self.gap_px = round(max(0.014 * unit, 1.5 * px_per_mm))
        self.stroke_px = max(2, round(0.0022 * unit))
        # Even, as the widths are multiples of 4: rows of a mask must be.
        self.ring_reach = -(-5 * self.stroke_px // 2) * 2
        self._font_px = 0.0325 * unit * size
        self._caption_px = caption_px
        self._margin_px = round(max(0.03 * min(width, height), self.ring_reach + self.stroke_px))

    def font_px(self, scale: float = 1.0) -> float:
        """The height of the em. scale: one of SCALES."""
        return self._font_px * scale

    def padding_px(self, scale: float = 1.0) -> int:
        """Between text and edge."""
        return round(0.62 * self._font_px * scale)

    def columns(self, count: int) -> int:
        """How many columns of buttons there are."""
        if self.portrait:
            return 1 if count in (1, 3) else 2
        return 1 if count <= 3 else 2

    def button_width(self, count: int) -> int:
        """The width of each of `count` buttons."""
        if self.portrait:
            columns = self.columns(count)
            inner = min(self.width - 2 * self._margin_px, _WIDEST_PX)
            wide = (inner - (columns - 1) * self.gap_px) // columns
        else:
            wide = min(round(0.28 * self.width), round(12.5 * self._font_px))
        return max(self.least_px, wide // 4 * 4)

    def button_height(self, lines: int, scale: float = 1.0) -> int:
        """The height of a button whose text takes this many lines."""
        return max(self.least_px, round(lines * _LINE * self.font_px(scale) + 1.1 * self.padding_px(scale)))

    def boxes(self, lines: Sequence[int], scale: float = 1.0) -> list[Box]:
        """The rectangle of each button. lines: how many each of them has."""
        count = len(lines)
        wide, columns = self.button_width(count), self.columns(count)
        rows = -(-count // columns)
        if self.portrait:
            places = [(number % columns, number // columns) for number in range(count)]
            first = (self.width - columns * wide - (columns - 1) * self.gap_px) // 2
            lefts = [first + column * (wide + self.gap_px) for column in range(columns)]
            bottom = self.height - self._margin_px
        else:
            places = [(number // rows, number % rows) for number in range(count)]
            right = self.width - self._margin_px - wide
            lefts = [right] if columns == 1 else [self._margin_px, right]
            bottom = self.height - max(self._margin_px, self._caption_px)
        heights = [
            max(self.button_height(n, scale) for n, place in zip(lines, places, strict=True) if place[1] == row)
            for row in range(rows)
        ]
        top = max(self._margin_px, bottom - sum(heights) - (rows - 1) * self.gap_px)
        tops = [top + sum(heights[:row]) + row * self.gap_px for row in range(rows)]
        return [Box(lefts[column], tops[row], wide, heights[row]) for column, row in places]

    def fits(self, boxes: Sequence[Box]) -> bool:
        """Whether buttons, with captions above them, leave the mouth free."""
        top = min(box.top for box in boxes)
        if self.portrait:
            return top - self._caption_px >= _MOUTH_ENDS * self.height
        return top >= 0.12 * self.height  # below the signs

    def caption_rise(self, boxes: Sequence[Box]) -> int:
        """How far captions move up for these buttons, in pixels; 0 where they have a place of their own."""
        if not boxes or not self.portrait:
            return 0
        return self.height - min(box.top for box in boxes) + self.gap_px

    @property
    def largest(self) -> list[tuple[int, int]]:
        """The greatest width and height of each button's image."""
        high = self.button_height(LINES)
        return [
            (max(self.button_width(count) for count in range(number, MAX_CHOICES + 1)), high)
            for number in range(1, MAX_CHOICES + 1)
        ]

    @property
    def largest_qr(self) -> int:
        """The greatest side of a QR code's image that leaves the eyes free."""
        if self.portrait:
            room = min(round(_EYES_BEGIN * self.height) - self._margin_px, round(0.7 * self.width))
        else:
            room = min(round(_FACE_BEGINS * self.width), self.height) - self._margin_px
        return max(1, min(room, largest_px(self.px_per_mm)))

    def qr_box(self, side_px: int) -> Box:
        """Where a QR code goes: into the upper left corner."""
        return Box(self._margin_px, self._margin_px, side_px, side_px)

    def ring_size(self, width: int, height: int) -> tuple[int, int]:
        """The size of the ring around a button."""
        return width + 2 * self.ring_reach, height + 2 * self.ring_reach

    def direction(self, box: Box) -> tuple[float, float]:
        """Where the eyes look for this button, each -1..1 as in `look_at`: from the height of the eyes."""
        x, y = box.middle
        return _unit(1.4 * (2 * x / self.width - 1)), _unit((0.4 - y / self.height) / 0.6)


def _unit(value: float) -> float:
    return max(-1.0, min(1.0, value))
