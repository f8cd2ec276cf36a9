"""An offscreen render target, smaller than the screen, for GPUs too slow for full resolution."""

import ctypes

from mien.errors import DisplayError
from mien.render import gl as gles
from mien.render.gl import Gl


class RenderTarget:
    """A framebuffer with a colour texture and a depth buffer. texture: its GL name."""

    def __init__(self, gl: Gl, width: int, height: int) -> None:
        """width, height: in pixels. Raises DisplayError if the driver cannot render to it."""
        self._gl = gl
        self.width, self.height = width, height
        self.texture = gl.new_texture()
        gl.bind_texture(gles.TEXTURE_2D, self.texture)
        gl.tex_image_2d(gles.TEXTURE_2D, 0, gles.RGBA, width, height, 0, gles.RGBA, gles.UNSIGNED_BYTE, None)
        for parameter, value in (
            (gles.TEXTURE_MIN_FILTER, gles.LINEAR),
            (gles.TEXTURE_MAG_FILTER, gles.LINEAR),
            (gles.TEXTURE_WRAP_S, gles.CLAMP_TO_EDGE),
            (gles.TEXTURE_WRAP_T, gles.CLAMP_TO_EDGE),
        ):
            gl.tex_parameter_i(gles.TEXTURE_2D, parameter, value)
        self._depth = gl.new_renderbuffer()
        gl.bind_renderbuffer(gles.RENDERBUFFER, self._depth)
        gl.renderbuffer_storage(gles.RENDERBUFFER, gles.DEPTH_COMPONENT16, width, height)
        self._framebuffer = gl.new_framebuffer()
        self.bind()
        gl.framebuffer_texture_2d(gles.FRAMEBUFFER, gles.COLOR_ATTACHMENT0, gles.TEXTURE_2D, self.texture, 0)
        gl.framebuffer_renderbuffer(gles.FRAMEBUFFER, gles.DEPTH_ATTACHMENT, gles.RENDERBUFFER, self._depth)
        status = gl.check_framebuffer_status(gles.FRAMEBUFFER)
        gl.bind_framebuffer(gles.FRAMEBUFFER, 0)
        if status != gles.FRAMEBUFFER_COMPLETE:
            raise DisplayError(f"the driver cannot render to a texture of {width}x{height}: status {hex(status)}")

    def bind(self) -> None:
        """Render to this target from now on."""
        self._gl.bind_framebuffer(gles.FRAMEBUFFER, self._framebuffer)

    def close(self) -> None:
        """Release the GPU memory."""
        gl = self._gl
        for delete, name in (
            (gl.delete_framebuffers, self._framebuffer),
            (gl.delete_renderbuffers, self._depth),
            (gl.delete_textures, self.texture),
        ):
            delete(1, ctypes.byref(ctypes.c_uint(name)))
