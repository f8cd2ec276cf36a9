"""Full-screen passes: background, dimming, calibration bar."""

from collections.abc import Sequence

import numpy as np

from mien.render import gl as gles
from mien.render.buffers import BIND
from mien.render.gl import Gl
from mien.render.program import Program
from mien.render.scene import Background

# A separate attribute slot keeps the face's vertex pointers valid from frame to frame.
CORNER = BIND + 1
_GLOW_SHAPE = (0.0, 0.15, 0.9, 0.75)
BAR_SHARE = 8  # the bar's height is 1/8 of the frame


def enable_corners(gl: Gl) -> None:
    """Upload a triangle that covers the screen to the attribute slot CORNER, once per context."""
    corners = np.array([-1, -1, 3, -1, -1, 3], dtype=np.float32)
    gl.bind_buffer(gles.ARRAY_BUFFER, gl.new_buffer())
    gl.buffer_data(gles.ARRAY_BUFFER, corners.nbytes, corners.ctypes.data, gles.STATIC_DRAW)
    gl.enable_vertex_attrib_array(CORNER)
    gl.vertex_attrib_pointer(CORNER, 2, gles.FLOAT, 0, 8, 0)


class BackgroundPass:
    """Fills the pixels that opaque parts left free, or composites the face over it. Needs enable_corners()."""

    def __init__(
        self,
        gl: Gl,
        background: Background,
        *,
        composite: bool,
        quarter_turns: int = 0,
        picture: int = 0,
        aspect: float = 1.0,
    ) -> None:
        """composite: draw() takes the texture of a face drawn offscreen. quarter_turns: as in camera.

        picture: the texture of the background's picture, 0 for none. aspect: width / height of the upright screen.
        """
        self._gl, self._picture = gl, picture
        upright = np.linalg.matrix_power(np.array([[0, -1], [1, 0]]), quarter_turns % 4)
        defines = (*(("COMPOSITE",) if composite else ()), *(("PICTURE",) if picture else ()))
        self._program = Program(gl, "background", {"a_position": CORNER}, defines)
        self._program.use()
        if background.picture is not None:
            gl.uniform_2f(self._program.uniform("u_cover"), *cover(background.picture.shape, aspect))
            gl.uniform_1i(self._program.uniform("u_picture"), 1)
        for name, color in (("u_top", background.top), ("u_bottom", background.bottom), ("u_glow", background.glow)):
            gl.uniform_3f(self._program.uniform(name), *color)
        gl.uniform_4f(self._program.uniform("u_glow_shape"), *_GLOW_SHAPE)
        gl.uniform_4f(self._program.uniform("u_upright"), *(float(value) for value in upright.ravel()))
        gl.uniform_1i(self._program.uniform("u_face"), 0)
        self._at_presence = self._program.uniform("u_presence")

    def set_presence(self, presence: float) -> None:
        """Fade to grey, 1 .. 0."""
        self._program.use()
        self._gl.uniform_1f(self._at_presence, presence)

    def draw(self, face: int = 0) -> None:
        """Draw the background. face: with composite, the texture drawn over it."""
        self._program.use()
        if self._picture:
            self._gl.active_texture(gles.TEXTURE0 + 1)
            self._gl.bind_texture(gles.TEXTURE_2D, self._picture)
            self._gl.active_texture(gles.TEXTURE0)
        if face:
            self._gl.bind_texture(gles.TEXTURE_2D, face)
        self._gl.draw_arrays(gles.TRIANGLES, 0, 3)


def cover(shape: Sequence[int], aspect: float) -> tuple[float, float]:
    """The shares of a picture's width and height that a screen of this aspect shows. shape: height, width, ..."""
    own = shape[1] / shape[0]
    return (min(1.0, aspect / own), min(1.0, own / aspect))


class DimPass:
    """Multiplies the whole frame, captions included, by a brightness. One draw call. Needs enable_corners()."""

    def __init__(self, gl: Gl) -> None:
        self._gl = gl
        self._program = Program(gl, "dim", {"a_position": CORNER})
        self._at_black = self._program.uniform("u_black")

    def draw(self, brightness: float) -> None:
        """Multiply what was drawn by brightness, 0..1."""
        gl = self._gl
        self._program.use()
        gl.uniform_1f(self._at_black, 1.0 - brightness)
        gl.enable(gles.BLEND)
        gl.draw_arrays(gles.TRIANGLES, 0, 3)
        gl.disable(gles.BLEND)


class Bar:
    """A calibration bar along the bottom edge, black or white, drawn over the frame in the current context."""

    def __init__(self, width: int, height: int) -> None:
        """width, height: of the frame, in pixels. Raises DisplayError without GL."""
        self._gl = Gl()
        self._width, self._height = width, height // BAR_SHARE

    def paint(self, lit: bool) -> None:
        """Paint the bar. Call between draw() and present()."""
        gl, level = self._gl, float(lit)
        gl.enable(gles.SCISSOR_TEST)
        gl.scissor(0, 0, self._width, self._height)
        gl.clear_color(level, level, level, 1.0)
        gl.clear(gles.COLOR_BUFFER_BIT)
        gl.clear_color(0.0, 0.0, 0.0, 0.0)  # the renderer's own setting
        gl.disable(gles.SCISSOR_TEST)
