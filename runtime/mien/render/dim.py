"""A veil of black over the whole picture, captions and all: for a screen that has no dimmer of its own."""

from mien.render import gl as gles
from mien.render.background import CORNER
from mien.render.gl import Gl
from mien.render.program import Program


class DimPass:
    """One draw call, none at full brightness. Needs enable_corners()."""

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
