"""A bar along the bottom of the screen, black or white, over whatever was drawn: a rig measures it."""

from mien.render import gl as gles
from mien.render.gl import Gl

SHARE = 8  # of the picture's height


class Bar:
    """Acts on the context that is current on the calling thread; width, height: of the picture, in pixels."""

    def __init__(self, width: int, height: int) -> None:
        """Raises DisplayError where there is no GL."""
        self._gl = Gl()
        self._width, self._height = width, height // SHARE

    def paint(self, lit: bool) -> None:
        """Between draw() and present()."""
        gl, level = self._gl, float(lit)
        gl.enable(gles.SCISSOR_TEST)
        gl.scissor(0, 0, self._width, self._height)
        gl.clear_color(level, level, level, 1.0)
        gl.clear(gles.COLOR_BUFFER_BIT)
        gl.clear_color(0.0, 0.0, 0.0, 0.0)  # as the renderer has it
        gl.disable(gles.SCISSOR_TEST)
