"""Reads pixels of the frame last drawn back from the GPU. This stalls the pipeline: on a board, not every frame."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.render import gl as gles
from mien.render.gl import Gl
from mien.render.target import RenderTarget

# A face over a gradient spans far more, dither and compression noise less.
_LEAST_SPAN: Final = 12


class Readback:
    """Reads the back buffer of a window of width x height pixels."""

    def __init__(self, gl: Gl, width: int, height: int, *, multisampled: bool) -> None:
        """multisampled: the window has several samples per pixel."""
        self._gl = gl
        self._width, self._height = width, height
        self._multisampled = multisampled
        self._copy: RenderTarget | None = None

    def whole(self) -> NDArray[np.uint8]:
        """The frame, uint8 (height, width, 3), top row first. Raises DisplayError."""
        if self._multisampled:
            self._bind_resolved()
        pixels = self._read(0, 0, self._width, self._height)
        self._gl.bind_framebuffer(gles.FRAMEBUFFER, 0)
        return np.ascontiguousarray(pixels[::-1])

    def cross(self) -> NDArray[np.uint8]:
        """The middle column, then the middle row, uint8 (height + width, 3). Raises DisplayError."""
        column = self._read(self._width // 2, 0, 1, self._height)
        row = self._read(0, self._height // 2, self._width, 1)
        return np.concatenate((column.reshape(-1, 3), row.reshape(-1, 3)))

    def _bind_resolved(self) -> None:
        """Read from a copy, which resolves all samples; llvmpipe would read only one sample per pixel."""
        if self._copy is None:
            self._copy = RenderTarget(self._gl, self._width, self._height)
        self._gl.bind_texture(gles.TEXTURE_2D, self._copy.texture)
        self._gl.copy_tex_sub_image_2d(gles.TEXTURE_2D, 0, 0, 0, 0, 0, self._width, self._height)
        self._copy.bind()

    def _read(self, x: int, y: int, width: int, height: int) -> NDArray[np.uint8]:
        pixels = np.empty((height, width, 4), dtype=np.uint8)
        self._gl.pixel_store_i(gles.PACK_ALIGNMENT, 1)
        self._gl.read_pixels(x, y, width, height, gles.RGBA, gles.UNSIGNED_BYTE, pixels.ctypes.data)
        self._gl.check("reading the frame back")
        return pixels[..., :3]


def is_blank(samples: NDArray[np.uint8]) -> bool:
    """Whether pixels sampled across a frame, uint8 (N, 3), have nearly one colour.

    A lost context or a faulty driver can draw nothing without any error.
    """
    return samples.size == 0 or int(np.ptp(samples, axis=0).max()) < _LEAST_SPAN
