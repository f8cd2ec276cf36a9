"""Pixels of the picture last drawn, back from the GPU. Waits for it: not for every picture on a board."""

import numpy as np
from numpy.typing import NDArray

from mien.render import gl as gles
from mien.render.gl import Gl
from mien.render.target import RenderTarget


class Readback:
    """Reads the back buffer of a window of width x height pixels."""

    def __init__(self, gl: Gl, width: int, height: int, *, multisampled: bool) -> None:
        """multisampled: the window keeps several samples a pixel."""
        self._gl = gl
        self._width, self._height = width, height
        self._multisampled = multisampled
        self._copy: RenderTarget | None = None

    def whole(self) -> NDArray[np.uint8]:
        """The picture, uint8 (height, width, 3), top row first. Raises DisplayError."""
        if self._multisampled:
            self._bind_resolved()
        pixels = self._read(0, 0, self._width, self._height)
        self._gl.bind_framebuffer(gles.FRAMEBUFFER, 0)
        return np.ascontiguousarray(pixels[::-1])

    def cross(self) -> NDArray[np.uint8]:
        """The middle column and the middle row, uint8 (height + width, 3). Raises DisplayError."""
        column = self._read(self._width // 2, 0, 1, self._height)
        row = self._read(0, self._height // 2, self._width, 1)
        return np.concatenate((column.reshape(-1, 3), row.reshape(-1, 3)))

    def _bind_resolved(self) -> None:
        """Read from a copy from now on: llvmpipe reads one sample of each pixel where a copy takes the mean of all."""
        if self._copy is None:
            self._copy = RenderTarget(self._gl, self._width, self._height)
        self._gl.bind_texture(gles.TEXTURE_2D, self._copy.texture)
        self._gl.copy_tex_sub_image_2d(gles.TEXTURE_2D, 0, 0, 0, 0, 0, self._width, self._height)
        self._copy.bind()

    def _read(self, x: int, y: int, width: int, height: int) -> NDArray[np.uint8]:
        pixels = np.empty((height, width, 4), dtype=np.uint8)
        self._gl.pixel_store_i(gles.PACK_ALIGNMENT, 1)
        self._gl.read_pixels(x, y, width, height, gles.RGBA, gles.UNSIGNED_BYTE, pixels.ctypes.data)
        self._gl.check("reading the picture back")
        return pixels[..., :3]
