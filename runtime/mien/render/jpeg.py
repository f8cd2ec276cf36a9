"""JPEG encoding through SDL_image, because pygame.image.save() to a file object leaks."""

import ctypes
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.errors import DisplayError
from mien.render.sdl import libsdl

QUALITY: Final = 85  # of 100
_MASKS: Final = (0x0000FF, 0x00FF00, 0xFF0000, 0)  # red first, little endian
_ROOM_BYTES: Final = 8192  # beyond the size of the pixels: headers and tables of a tiny image


def encode_jpeg(image: NDArray[np.uint8]) -> bytes:
    """image: uint8 (height, width, 3), top row first. Raises DisplayError if encoding fails."""
    pixels = np.ascontiguousarray(image)
    height, width, _ = pixels.shape
    room = ctypes.create_string_buffer(pixels.nbytes + _ROOM_BYTES)
    sdl = libsdl()
    surface = sdl.SDL_CreateRGBSurfaceFrom(pixels.ctypes.data, width, height, 24, 3 * width, *_MASKS)
    file = sdl.SDL_RWFromMem(room, len(room))
    try:
        if not surface or not file:
            raise DisplayError(f"SDL cannot take an image of {width}x{height}")
        failed = sdl.IMG_SaveJPG_RW(surface, file, 0, QUALITY)
        size = sdl.SDL_RWtell(file)
    finally:
        if file:
            sdl.SDL_RWclose(file)
        sdl.SDL_FreeSurface(surface)
    if failed or not 0 < size < len(room):  # a full buffer may lack the end
        raise DisplayError(f"an image of {width}x{height} cannot be encoded as JPEG")
    return room.raw[:size]
