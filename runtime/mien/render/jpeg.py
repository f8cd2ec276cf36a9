"""A picture as JPEG, through SDL_image: pygame's own way to a file object keeps that object, and the JPEG, for ever."""

import ctypes
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.errors import DisplayError
from mien.render.sdl import libsdl

QUALITY: Final = 85  # of 100
_MASKS: Final = (0x0000FF, 0x00FF00, 0xFF0000, 0)  # red first, little endian
_ROOM_BYTES: Final = 8192  # beyond the pixels' own size: headers and tables of a tiny picture


def encode_jpeg(picture: NDArray[np.uint8]) -> bytes:
    """picture: uint8 (height, width, 3), top row first. Raises DisplayError where SDL_image cannot."""
    pixels = np.ascontiguousarray(picture)
    height, width, _ = pixels.shape
    room = ctypes.create_string_buffer(pixels.nbytes + _ROOM_BYTES)
    sdl = libsdl()
    surface = sdl.SDL_CreateRGBSurfaceFrom(pixels.ctypes.data, width, height, 24, 3 * width, *_MASKS)
    file = sdl.SDL_RWFromMem(room, len(room))
    try:
        if not surface or not file:
            raise DisplayError(f"SDL takes no picture of {width}x{height} to encode")
        failed = sdl.IMG_SaveJPG_RW(surface, file, 0, QUALITY)
        size = sdl.SDL_RWtell(file)
    finally:
        if file:
            sdl.SDL_RWclose(file)
        sdl.SDL_FreeSurface(surface)
    if failed or not 0 < size < len(room):  # full: the end may be missing
        raise DisplayError(f"a picture of {width}x{height} cannot be encoded as JPEG")
    return room.raw[:size]
