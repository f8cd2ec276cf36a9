"""The background's one draw call."""

import numpy as np

from mien.render import gl as gles
from mien.render.buffers import HEAD
from mien.render.gl import Gl
from mien.render.program import Program
from mien.render.scene import Background

# Its own attribute slot, so that the face's pointers stay as they are from picture to picture.
_CORNER = HEAD + 1
_GLOW_SHAPE = (0.0, 0.25, 0.9, 0.75)


class BackgroundPass:
    """Fills what the opaque parts left free. Changes the program in use and nothing else."""

    def __init__(self, gl: Gl, background: Background) -> None:
        self._gl = gl
        self._program = Program(gl, "background", {"a_position": _CORNER})
        corners = np.array([-1, -1, 3, -1, -1, 3], dtype=np.float32)
        gl.bind_buffer(gles.ARRAY_BUFFER, gl.new_buffer())
        gl.buffer_data(gles.ARRAY_BUFFER, corners.nbytes, corners.ctypes.data, gles.STATIC_DRAW)
        gl.enable_vertex_attrib_array(_CORNER)
        gl.vertex_attrib_pointer(_CORNER, 2, gles.FLOAT, 0, 8, 0)
        self._program.use()
        for name, color in (("u_top", background.top), ("u_bottom", background.bottom), ("u_glow", background.glow)):
            gl.uniform_3f(self._program.uniform(name), *color)
        gl.uniform_4f(self._program.uniform("u_glow_shape"), *_GLOW_SHAPE)

    def draw(self) -> None:
        """Draw it, after the opaque parts and before the blended ones."""
        self._program.use()
        self._gl.draw_arrays(gles.TRIANGLES, 0, 3)
