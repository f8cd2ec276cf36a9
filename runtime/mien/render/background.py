"""The background's one draw call."""

import numpy as np

from mien.render import gl as gles
from mien.render.buffers import BIND
from mien.render.gl import Gl
from mien.render.program import Program
from mien.render.scene import Background

# Its own attribute slot, so that the face's pointers stay as they are from picture to picture.
CORNER = BIND + 1
_GLOW_SHAPE = (0.0, 0.15, 0.9, 0.75)


def enable_corners(gl: Gl) -> None:
    """Put the corners of a triangle that covers the screen into the attribute slot CORNER, once a context."""
    corners = np.array([-1, -1, 3, -1, -1, 3], dtype=np.float32)
    gl.bind_buffer(gles.ARRAY_BUFFER, gl.new_buffer())
    gl.buffer_data(gles.ARRAY_BUFFER, corners.nbytes, corners.ctypes.data, gles.STATIC_DRAW)
    gl.enable_vertex_attrib_array(CORNER)
    gl.vertex_attrib_pointer(CORNER, 2, gles.FLOAT, 0, 8, 0)


class BackgroundPass:
    """Fills what the opaque parts left free, or lays a picture of the face over it. Needs enable_corners()."""

    def __init__(self, gl: Gl, background: Background, *, composite: bool, quarter_turns: int = 0) -> None:
        """composite: draw() is given the texture of a face that was drawn elsewhere. quarter_turns: as in camera."""
        self._gl = gl
        upright = np.linalg.matrix_power(np.array([[0, -1], [1, 0]]), quarter_turns % 4)
        self._program = Program(gl, "background", {"a_position": CORNER}, ("COMPOSITE",) if composite else ())
        self._program.use()
        for name, color in (("u_top", background.top), ("u_bottom", background.bottom), ("u_glow", background.glow)):
            gl.uniform_3f(self._program.uniform(name), *color)
        gl.uniform_4f(self._program.uniform("u_glow_shape"), *_GLOW_SHAPE)
        gl.uniform_4f(self._program.uniform("u_upright"), *(float(value) for value in upright.ravel()))
        gl.uniform_1i(self._program.uniform("u_face"), 0)
        self._at_presence = self._program.uniform("u_presence")

    def set_presence(self, presence: float) -> None:
        """Fade to grey below 1."""
        self._program.use()
        self._gl.uniform_1f(self._at_presence, presence)

    def draw(self, face: int = 0) -> None:
        """Draw it. face: the texture to lay over it, when composite."""
        self._program.use()
        if face:
            self._gl.bind_texture(gles.TEXTURE_2D, face)
        self._gl.draw_arrays(gles.TRIANGLES, 0, 3)
