"""A Pango layout: breaks text into lines of a given width, measures them, draws them."""

import ctypes
import math
from ctypes import POINTER, c_int
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.text import pango
from mien.text.pango import SCALE, libpango

# Small Debian packages of even weight: fonts-open-sans, fonts-noto-ui-core, fonts-wqy-microhei. For other characters
# fontconfig searches all installed fonts.
FAMILIES = "Open Sans,Noto Sans Arabic UI,Noto Sans Devanagari UI,Noto Sans Thai UI,WenQuanYi Micro Hei,sans-serif"
Mask = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its byte range in the text, and its extent in pixels from the top of the layout."""

    start: int
    end: int
    top: int
    bottom: int


class Layout:
    """Use it on the thread that created it, because font maps are per thread. Text is literal, without markup."""

    def __init__(self, font_px: float, *, weight: str = "Semi-Bold", line_spacing: float = 0.0) -> None:
        """font_px: height of the em. line_spacing: distance between baselines as a multiple of the line height.

        Raises TextError if Pango is missing.
        """
        self._pango = libpango()
        self._context = self._pango.pango_font_map_create_context(self._pango.pango_cairo_font_map_get_default())
        self._layout = self._pango.pango_layout_new(self._context)
        font = self._pango.pango_font_description_from_string(f"{FAMILIES} {weight}".encode())
        self._pango.pango_font_description_set_absolute_size(font, font_px * SCALE)
        self._pango.pango_layout_set_font_description(self._layout, font)
        self._pango.pango_font_description_free(font)
        self._pango.pango_layout_set_wrap(self._layout, pango.WRAP_WORD_CHAR)
        self._pango.pango_layout_set_alignment(self._layout, pango.CENTRE)
        self._pango.pango_layout_set_line_spacing(self._layout, line_spacing)

    def set(self, text: str, width_px: int = -1) -> None:
        """Replace the text, broken into lines of at most width_px; -1: a single line."""
        data = text.encode("utf-8", "replace")
        self._pango.pango_layout_set_text(self._layout, data, len(data))
        self.set_width(width_px)

    def set_width(self, width_px: int) -> None:
        """Break the same text at another width."""
        self._pango.pango_layout_set_width(self._layout, width_px * SCALE if width_px >= 0 else -1)

    def shorten(self, lines: int) -> None:
        """From now on end text that takes more lines than this with an ellipsis."""
        self._pango.pango_layout_set_height(self._layout, -lines)
        self._pango.pango_layout_set_ellipsize(self._layout, pango.ELLIPSIZE_END)

    @property
    def shortened(self) -> bool:
        """Whether the text ends with an ellipsis for lack of room."""
        return bool(self._pango.pango_layout_is_ellipsized(self._layout))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the text in pixels."""
        width, height = c_int(0), c_int(0)
        self._pango.pango_layout_get_pixel_size(self._layout, ctypes.byref(width), ctypes.byref(height))
        return width.value, height.value

    @property
    def line_count(self) -> int:
        """The number of lines."""
        return int(self._pango.pango_layout_get_line_count(self._layout))

    @property
    def unknown(self) -> int:
        """The number of characters without a font."""
        return int(self._pango.pango_layout_get_unknown_glyphs_count(self._layout))

    def lines(self) -> list[Line]:
        """The lines from top to bottom."""
        return [line for line, _ in self._walk((), ())]

    def boxes(self, starts: list[int], ends: list[int]) -> list[tuple[int, int, int, int, int]]:
        """Bounding boxes of pieces of the text: number of the piece, then left, top, right and bottom in pixels.

        starts, ends: byte offsets of each piece. A piece that spans several lines or directions has several boxes.
        """
        return [box for _, boxes in self._walk(starts, ends) for box in boxes]

    def draw(self, out: Mask, left: int, top: int) -> None:
        """Draw the text into a mask with its upper left corner at (left, top). Rows must be a multiple of 4 bytes."""
        with _Canvas(out) as canvas:
            self._pango.cairo_move_to(canvas, float(left), float(top))
            self._pango.pango_cairo_show_layout(canvas, self._layout)

    def __del__(self) -> None:
        for name in ("_layout", "_context"):
            if getattr(self, name, None):
                self._pango.g_object_unref(getattr(self, name))
                setattr(self, name, None)

    def _walk(
        self, starts: "list[int] | tuple[()]", ends: "list[int] | tuple[()]"
    ) -> list[tuple[Line, list[tuple[int, int, int, int, int]]]]:
        walk, found = self._pango.pango_layout_get_iter(self._layout), []
        try:
            while True:
                line = self._pango.pango_layout_iter_get_line_readonly(walk)
                begin = int(self._pango.pango_layout_line_get_start_index(line))
                end = begin + int(self._pango.pango_layout_line_get_length(line))
                top, bottom = c_int(0), c_int(0)
                self._pango.pango_layout_iter_get_line_yrange(walk, ctypes.byref(top), ctypes.byref(bottom))
                here = Line(begin, end, math.floor(top.value / SCALE), math.ceil(bottom.value / SCALE))
                found.append((here, self._boxes_in(line, here, starts, ends)))
                if not self._pango.pango_layout_iter_next_line(walk):
                    return found
        finally:
            self._pango.pango_layout_iter_free(walk)

    def _boxes_in(
        self, line: int, here: Line, starts: "list[int] | tuple[()]", ends: "list[int] | tuple[()]"
    ) -> list[tuple[int, int, int, int, int]]:
        boxes = []
        for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
            start, end = max(start, here.start), min(end, here.end)
            if start < end:
                boxes += [(number, left, here.top, right, here.bottom) for left, right in self._spans(line, start, end)]
        return boxes

    def _spans(self, line: int, start: int, end: int) -> list[tuple[int, int]]:
        ranges, count = POINTER(c_int)(), c_int(0)
        self._pango.pango_layout_line_get_x_ranges(line, start, end, ctypes.byref(ranges), ctypes.byref(count))
        spans = [(round(ranges[2 * n] / SCALE), round(ranges[2 * n + 1] / SCALE)) for n in range(count.value)]
        self._pango.g_free(ranges)
        return spans


def draw_plate(out: Mask, radius_px: float) -> None:
    """Fill a mask with a rounded rectangle. Rows must be a multiple of 4 bytes."""
    cairo = libpango()
    height, width = out.shape
    with _Canvas(out) as canvas:
        cairo.cairo_new_sub_path(canvas)
        for turn, (x, y) in enumerate(((width, 0), (width, height), (0, height), (0, 0))):
            inner_x, inner_y = (min(max(x, radius_px), width - radius_px), min(max(y, radius_px), height - radius_px))
            cairo.cairo_arc(canvas, inner_x, inner_y, radius_px, (turn - 1) * math.pi / 2, turn * math.pi / 2)
        cairo.cairo_close_path(canvas)
        cairo.cairo_fill(canvas)


class _Canvas:
    """A cairo context that draws opaquely into a mask."""

    def __init__(self, mask: Mask) -> None:
        if not mask.flags.c_contiguous or mask.strides[0] % 4:
            raise ValueError("a mask must be contiguous, with rows of a multiple of 4 bytes")
        self._cairo, self._mask = libpango(), mask

    def __enter__(self) -> int:
        height, width = self._mask.shape
        data, stride = self._mask.ctypes.data, self._mask.strides[0]
        self._surface = self._cairo.cairo_image_surface_create_for_data(data, pango.FORMAT_A8, width, height, stride)
        self._context = self._cairo.cairo_create(self._surface)
        self._cairo.cairo_set_source_rgba(self._context, 1.0, 1.0, 1.0, 1.0)
        return int(self._context)

    def __exit__(self, *_: object) -> None:
        self._cairo.cairo_destroy(self._context)
        self._cairo.cairo_surface_flush(self._surface)
        self._cairo.cairo_surface_destroy(self._surface)
