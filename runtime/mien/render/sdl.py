"""A ctypes binding of SDL functions that pygame lacks, or that leak in pygame.

Symbols are resolved through pygame's own modules, so that they come from the libraries that pygame itself uses,
whether from its wheel or from the system.
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
    ("SDL_GetVersion", None, (c_void_p,)),
    ("SDL_GL_GetCurrentWindow", c_void_p, ()),
    ("SDL_GetWindowWMInfo", c_int, (c_void_p, c_void_p)),
)
_KMSDRM: Final = 13  # in SDL_SYSWM_TYPE


class _WindowInfo(ctypes.Structure):
    """SDL_SysWMinfo with the KMSDRM member of its union."""

    _fields_ = (("version", ctypes.c_uint8 * 3), ("subsystem", c_int), ("dev_index", c_int), ("drm_fd", c_int),
                ("rest", ctypes.c_uint8 * 128))  # fmt: skip


@lru_cache(maxsize=1)
def libsdl() -> Any:
    """The functions by name. Raises DisplayError if one is missing."""
    imageext = importlib.import_module("pygame.imageext")  # not an attribute of pygame
    library, found = ctypes.CDLL(str(imageext.__file__)), SimpleNamespace()
    for name, result, arguments in _FUNCTIONS:
        if (function := getattr(library, name, None)) is None:
            raise DisplayError(f"SDL lacks {name}; it needs SDL 2.0.10 and SDL_image 2.0.2 or newer")
        function.restype, function.argtypes = result, arguments
        setattr(found, name, function)
    return found


def drm_descriptor() -> int:
    """The DRM file descriptor of SDL's KMSDRM driver. Raises DisplayError with other drivers."""
    sdl, info = libsdl(), _WindowInfo()
    sdl.SDL_GetVersion(ctypes.byref(info))
    window = sdl.SDL_GL_GetCurrentWindow()
    if not window or not sdl.SDL_GetWindowWMInfo(window, ctypes.byref(info)) or info.subsystem != _KMSDRM:
        raise DisplayError("SDL does not use its KMSDRM driver")
    return int(info.drm_fd)
