"""SDL and SDL_image as pygame loaded them, through ctypes: for the few functions that pygame has not, or leaks in.

Symbols are found through pygame's own modules, so that they are of the very libraries that pygame draws with, whether
they came with its wheel or from the system.
"""

import ctypes
import importlib
from ctypes import c_int, c_int64, c_uint32, c_void_p
from functools import lru_cache
from types import SimpleNamespace
from typing import Any, Final

from mien.errors import DisplayError

_FUNCTIONS: Final[tuple[tuple[str, Any, tuple[Any, ...]], ...]] = (
    ("SDL_CreateRGBSurfaceFrom", c_void_p, (c_void_p, *(c_int,) * 4, *(c_uint32,) * 4)),
    ("SDL_FreeSurface", None, (c_void_p,)),
    ("SDL_RWFromMem", c_void_p, (c_void_p, c_int)),
    ("SDL_RWtell", c_int64, (c_void_p,)),
    ("SDL_RWclose", c_int, (c_void_p,)),
    ("IMG_SaveJPG_RW", c_int, (c_void_p, c_void_p, c_int, c_int)),
)


@lru_cache(maxsize=1)
def libsdl() -> Any:
    """The functions, by their names. Raises DisplayError where one is missing."""
    imageext = importlib.import_module("pygame.imageext")  # pygame hides this module's name
    library, found = ctypes.CDLL(str(imageext.__file__)), SimpleNamespace()
    for name, result, arguments in _FUNCTIONS:
        if (function := getattr(library, name, None)) is None:
            raise DisplayError(f"SDL lacks {name}; it needs SDL 2.0.10 and SDL_image 2.0.2 or newer")
        function.restype, function.argtypes = result, arguments
        setattr(found, name, function)
    return found
