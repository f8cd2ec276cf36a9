"""A minimal ctypes binding of Pango with cairo, typed so that mistakes raise.

Debian's libpangocairo-1.0-0 (Pango 1.50; LGPL) depends on the rest: HarfBuzz for shaping, FriBidi for ordering,
fontconfig for font selection. Signatures and constants are those of the headers.
"""

import ctypes
from ctypes import POINTER, c_char_p, c_double, c_float, c_int, c_uint32, c_void_p
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Final

from mien.errors import TextError

SCALE: Final = 1024  # Pango units per pixel
CENTRE: Final = 1
ELLIPSIZE_END: Final = 3
WRAP_WORD_CHAR: Final = 2
FORMAT_A8: Final = 2
# Bits of PangoLogAttr.
LINE_BREAK: Final = 1 << 0
CURSOR: Final = 1 << 4

_INTS: Final = POINTER(c_int)
_FUNCTIONS: Final[dict[str, tuple[tuple[str, Any, tuple[Any, ...]], ...]]] = {
    "libpango-1.0.so.0": (
        ("pango_font_map_create_context", c_void_p, (c_void_p,)),
        ("pango_font_description_from_string", c_void_p, (c_char_p,)),
        ("pango_font_description_set_absolute_size", None, (c_void_p, c_double)),
        ("pango_font_description_free", None, (c_void_p,)),
        ("pango_layout_new", c_void_p, (c_void_p,)),
        ("pango_layout_set_font_description", None, (c_void_p, c_void_p)),
        ("pango_layout_set_text", None, (c_void_p, c_char_p, c_int)),
        ("pango_layout_set_width", None, (c_void_p, c_int)),
        ("pango_layout_set_height", None, (c_void_p, c_int)),
        ("pango_layout_set_ellipsize", None, (c_void_p, c_int)),
        ("pango_layout_is_ellipsized", c_int, (c_void_p,)),
        ("pango_layout_set_wrap", None, (c_void_p, c_int)),
        ("pango_layout_set_alignment", None, (c_void_p, c_int)),
        ("pango_layout_set_line_spacing", None, (c_void_p, c_float)),
        ("pango_layout_get_pixel_size", None, (c_void_p, _INTS, _INTS)),
        ("pango_layout_get_line_count", c_int, (c_void_p,)),
        ("pango_layout_get_unknown_glyphs_count", c_int, (c_void_p,)),
        ("pango_language_get_default", c_void_p, ()),
        ("pango_get_log_attrs", None, (c_char_p, c_int, c_int, c_void_p, POINTER(c_uint32), c_int)),
        ("pango_layout_get_iter", c_void_p, (c_void_p,)),
        ("pango_layout_iter_free", None, (c_void_p,)),
        ("pango_layout_iter_next_line", c_int, (c_void_p,)),
        ("pango_layout_iter_get_line_readonly", c_void_p, (c_void_p,)),
        ("pango_layout_iter_get_line_yrange", None, (c_void_p, _INTS, _INTS)),
        ("pango_layout_line_get_start_index", c_int, (c_void_p,)),
        ("pango_layout_line_get_length", c_int, (c_void_p,)),
        ("pango_layout_line_get_x_ranges", None, (c_void_p, c_int, c_int, POINTER(_INTS), _INTS)),
    ),
    "libpangocairo-1.0.so.0": (
        ("pango_cairo_font_map_get_default", c_void_p, ()),
        ("pango_cairo_show_layout", None, (c_void_p, c_void_p)),
    ),
    "libcairo.so.2": (
        ("cairo_image_surface_create_for_data", c_void_p, (c_void_p, c_int, c_int, c_int, c_int)),
        ("cairo_surface_flush", None, (c_void_p,)),
        ("cairo_surface_destroy", None, (c_void_p,)),
        ("cairo_create", c_void_p, (c_void_p,)),
        ("cairo_destroy", None, (c_void_p,)),
        ("cairo_move_to", None, (c_void_p, c_double, c_double)),
        ("cairo_set_source_rgba", None, (c_void_p, c_double, c_double, c_double, c_double)),
        ("cairo_new_sub_path", None, (c_void_p,)),
        ("cairo_arc", None, (c_void_p, c_double, c_double, c_double, c_double, c_double)),
        ("cairo_close_path", None, (c_void_p,)),
        ("cairo_fill", None, (c_void_p,)),
    ),
    "libgobject-2.0.so.0": (("g_object_unref", None, (c_void_p,)),),
    "libglib-2.0.so.0": (("g_free", None, (c_void_p,)),),
}


@lru_cache(maxsize=1)
def libpango() -> Any:
    """The functions by name. Raises TextError if a library is missing or too old."""
    found = SimpleNamespace()
    for file, functions in _FUNCTIONS.items():
        try:
            library = ctypes.CDLL(file)
        except OSError:
            raise TextError(f"{file} cannot be loaded; install Debian's libpangocairo-1.0-0") from None
        for name, result, arguments in functions:
            if (function := getattr(library, name, None)) is None:
                raise TextError(f"{file} lacks {name}; captions need Pango 1.50 or newer")
            function.restype, function.argtypes = result, arguments
            setattr(found, name, function)
    return found
