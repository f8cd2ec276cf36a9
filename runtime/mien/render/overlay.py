"""The overlay pass: all layers over the face in one draw call, none while all are hidden."""

import ctypes
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.render import gl as gles
from mien.render.base import ALL_HEARD
from mien.render.buffers import BIND
from mien.render.gl import Gl
from mien.render.program import Program

# Separate attribute slots, after the background's, keep the pointers of other passes valid.
_PLACE, _LOOK = BIND + 2, BIND + 3
_FLOATS: Final = 7  # per vertex: screen position, texture position, opacity, progress, ahead
# Two triangles, counter-clockwise on the upright screen: left, top, right and bottom as 0 or 1.
_CORNERS: Final = np.array([(0, 0), (0, 1), (1, 0), (1, 0), (0, 1), (1, 1)], dtype=np.float32)


def shelves(sizes: Sequence[tuple[int, int]]) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """Where in one texture each image has its upper left corner, and the texture's size. Beside each other, if room."""
    most_wide = max(width for width, _ in sizes)
    at: list[tuple[int, int]] = []
    left = top = high = 0
    for width, height in sizes:
        if left + width > most_wide:
            left, top, high = 0, top + high, 0
        at.append((left, top))
        left, high = left + width, max(high, height)
    return at, (most_wide, top + high)


class OverlayPass:
    """Implements mien.render.base.Overlay: each layer is a rectangle of one texture. uploads: images loaded so far."""

    def __init__(self, gl: Gl, screen: tuple[int, int], sizes: Sequence[tuple[int, int]], quarter_turns: int) -> None:
        """screen: the driver's size in pixels. sizes: maximum width and height of each layer's images."""
        self._gl = gl
        self._turn = np.linalg.matrix_power(np.array([[0, -1], [1, 0]]), quarter_turns % 4).astype(np.float32)
        self.width, self.height = screen[::-1] if quarter_turns % 2 else screen
        self._sizes = tuple(sizes)
        self._at, self._texture_size = shelves(sizes)
        self._loaded = [(0, 0)] * len(sizes)
        self._vertices = np.zeros((len(sizes), len(_CORNERS), _FLOATS), dtype=np.float32)
        self._drawn = np.zeros_like(self._vertices)
        self._shown = [False] * len(sizes)
        self._corners_at: list[tuple[int, ...]] = [()] * len(sizes)
        self._looks: list[tuple[float, ...]] = [()] * len(sizes)
        self._count = 0
        self._stale = False
        self.uploads = 0
        self._open()

    @property
    def stale(self) -> bool:
        """Whether the layers have changed since they were drawn last."""
        return self._stale

    def load(self, layer: int, image: NDArray[np.uint8]) -> None:
        """Load an image, uint8 (h, w, 4), into a layer, hidden until placed. Raises ValueError if it is too large."""
        height, width = image.shape[:2]
        most_wide, most_high = self._sizes[layer]
        if width > most_wide or height > most_high:
            raise ValueError(f"an image of {width}x{height} exceeds the layer of {most_wide}x{most_high}")
        gl, pixels = self._gl, np.ascontiguousarray(image)
        gl.bind_texture(gles.TEXTURE_2D, self._texture)
        gl.pixel_store_i(gles.UNPACK_ALIGNMENT, 4)
        gl.tex_sub_image_2d(
            gles.TEXTURE_2D, 0, *self._at[layer], width, height, gles.RGBA, gles.UNSIGNED_BYTE, pixels.ctypes.data
        )
        self._loaded[layer] = (width, height)
        self._corners_at[layer] = ()
        self.uploads += 1
        self.hide(layer)

    def place(
        self, layer: int, left: int, top: int, opacity: float, progress: float = ALL_HEARD, ahead: float = 1.0
    ) -> None:
        """Show a layer with its upper left corner at a pixel of the upright screen."""
        width, height = self._loaded[layer]
        if opacity <= 0.0 or not width:
            self.hide(layer)
            return
        if (left, top) != self._corners_at[layer]:
            self._corners_at[layer] = (left, top)
            self._place_corners(layer, left, top, width, height)
        elif self._shown[layer] and (opacity, progress, ahead) == self._looks[layer]:
            return
        self._looks[layer] = (opacity, progress, ahead)
        vertices = self._vertices[layer]
        vertices[:, 4], vertices[:, 5], vertices[:, 6] = opacity, progress, ahead
        self._shown[layer] = self._stale = True

    def hide(self, layer: int) -> None:
        """Hide a layer."""
        self._stale |= self._shown[layer]
        self._shown[layer] = False

    def draw(self) -> None:
        """Draw the visible layers over the frame."""
        if self._stale:
            self._upload_vertices()
        if not self._count:
            return
        gl = self._gl
        self._program.use()
        gl.bind_texture(gles.TEXTURE_2D, self._texture)
        gl.enable(gles.BLEND)
        gl.blend_func_separate(gles.ONE, gles.ONE_MINUS_SRC_ALPHA, gles.ONE, gles.ONE_MINUS_SRC_ALPHA)
        gl.draw_arrays(gles.TRIANGLES, 0, self._count)
        gl.blend_func_separate(gles.SRC_ALPHA, gles.ONE_MINUS_SRC_ALPHA, gles.ONE, gles.ONE_MINUS_SRC_ALPHA)
        gl.disable(gles.BLEND)

    def close(self) -> None:
        """Release the texture."""
        self._gl.delete_textures(1, ctypes.byref(ctypes.c_uint(self._texture)))

    def _place_corners(self, layer: int, left: int, top: int, width: int, height: int) -> None:
        corners = _CORNERS * (width, height)
        at = np.add(corners, (left, top)) / (self.width, self.height) * (2.0, -2.0) + (-1.0, 1.0)
        self._vertices[layer][:, :2] = at @ self._turn
        self._vertices[layer][:, 2:4] = np.add(corners, self._at[layer]) / self._texture_size

    def _upload_vertices(self) -> None:
        shown = [index for index, is_shown in enumerate(self._shown) if is_shown]
        for place, index in enumerate(shown):
            self._drawn[place] = self._vertices[index]
        self._count = len(shown) * len(_CORNERS)
        self._stale = False
        gl = self._gl
        gl.bind_buffer(gles.ARRAY_BUFFER, self._buffer)
        # Replaces the whole buffer, so that the driver need not wait for the previous frame, which still reads it.
        gl.buffer_data(gles.ARRAY_BUFFER, self._drawn.nbytes, self._drawn.ctypes.data, gles.DYNAMIC_DRAW)

    def _open(self) -> None:
        gl, (width, height) = self._gl, self._texture_size
        self._program = Program(gl, "overlay", {"a_place": _PLACE, "a_look": _LOOK})
        self._program.use()
        gl.uniform_1i(self._program.uniform("u_image"), 0)
        self._texture = gl.new_texture()
        gl.bind_texture(gles.TEXTURE_2D, self._texture)
        gl.tex_image_2d(gles.TEXTURE_2D, 0, gles.RGBA, width, height, 0, gles.RGBA, gles.UNSIGNED_BYTE, None)
        for parameter, value in (
            (gles.TEXTURE_MIN_FILTER, gles.NEAREST),  # one texel per pixel; word numbers must not be interpolated
            (gles.TEXTURE_MAG_FILTER, gles.NEAREST),
            (gles.TEXTURE_WRAP_S, gles.CLAMP_TO_EDGE),
            (gles.TEXTURE_WRAP_T, gles.CLAMP_TO_EDGE),
        ):
            gl.tex_parameter_i(gles.TEXTURE_2D, parameter, value)
        self._buffer = gl.new_buffer()
        gl.bind_buffer(gles.ARRAY_BUFFER, self._buffer)
        gl.buffer_data(gles.ARRAY_BUFFER, self._drawn.nbytes, self._drawn.ctypes.data, gles.DYNAMIC_DRAW)
        for location, count, offset in ((_PLACE, 4, 0), (_LOOK, 3, 16)):
            gl.enable_vertex_attrib_array(location)
            gl.vertex_attrib_pointer(location, count, gles.FLOAT, 0, 4 * _FLOATS, offset)
        gl.check("setting up the overlay")
