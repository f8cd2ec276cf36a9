"""A thin ctypes binding of libGLESv2: only what the renderer calls, with argument types so that mistakes raise.

Names follow the GL ES 2.0 specification (Khronos, OpenGL ES Common Profile 2.0.25), without the `gl` prefix.
"""

import ctypes
import ctypes.util
from collections.abc import Callable
from ctypes import POINTER, c_char_p, c_float, c_int, c_ssize_t, c_ubyte, c_uint, c_void_p
from typing import Any, Final, TypeAlias

from mien.errors import DisplayError

GlFunction: TypeAlias = Callable[..., Any]

DEPTH_BUFFER_BIT: Final = 0x0100
COLOR_BUFFER_BIT: Final = 0x4000
TRIANGLES: Final = 0x0004
LEQUAL: Final = 0x0203
ONE: Final = 1
SRC_ALPHA: Final = 0x0302
ONE_MINUS_SRC_ALPHA: Final = 0x0303
CULL_FACE: Final = 0x0B44
DEPTH_TEST: Final = 0x0B71
BLEND: Final = 0x0BE2
SCISSOR_TEST: Final = 0x0C11
UNPACK_ALIGNMENT: Final = 0x0CF5
PACK_ALIGNMENT: Final = 0x0D05
MAX_TEXTURE_SIZE: Final = 0x0D33
TEXTURE_2D: Final = 0x0DE1
TEXTURE0: Final = 0x84C0
UNSIGNED_BYTE: Final = 0x1401
UNSIGNED_SHORT: Final = 0x1403
FLOAT: Final = 0x1406
RGBA: Final = 0x1908
RENDERER: Final = 0x1F01
VERSION: Final = 0x1F02
NEAREST: Final = 0x2600
LINEAR: Final = 0x2601
LINEAR_MIPMAP_LINEAR: Final = 0x2703
TEXTURE_MAG_FILTER: Final = 0x2800
TEXTURE_MIN_FILTER: Final = 0x2801
TEXTURE_WRAP_S: Final = 0x2802
TEXTURE_WRAP_T: Final = 0x2803
REPEAT: Final = 0x2901
CLAMP_TO_EDGE: Final = 0x812F
DEPTH_COMPONENT16: Final = 0x81A5
ARRAY_BUFFER: Final = 0x8892
ELEMENT_ARRAY_BUFFER: Final = 0x8893
STATIC_DRAW: Final = 0x88E4
DYNAMIC_DRAW: Final = 0x88E8
FRAGMENT_SHADER: Final = 0x8B30
VERTEX_SHADER: Final = 0x8B31
COMPILE_STATUS: Final = 0x8B81
LINK_STATUS: Final = 0x8B82
INFO_LOG_LENGTH: Final = 0x8B84
FRAMEBUFFER_COMPLETE: Final = 0x8CD5
COLOR_ATTACHMENT0: Final = 0x8CE0
DEPTH_ATTACHMENT: Final = 0x8D00
FRAMEBUFFER: Final = 0x8D40
RENDERBUFFER: Final = 0x8D41

_ERROR_NAMES: Final = {
    0x0500: "GL_INVALID_ENUM",
    0x0501: "GL_INVALID_VALUE",
    0x0502: "GL_INVALID_OPERATION",
    0x0505: "GL_OUT_OF_MEMORY",
    0x0506: "GL_INVALID_FRAMEBUFFER_OPERATION",
    0x0507: "GL_CONTEXT_LOST",
}
_UINT_P: Final = POINTER(c_uint)
_INT_P: Final = POINTER(c_int)


class Gl:
    """The functions of libGLESv2. They act on the context that is current on the calling thread."""

    def __init__(self, library: str = "") -> None:
        """Load the library. Raises DisplayError if it is missing."""
        self._library = _open_library(library)
        bind = self._bind
        self.get_error: GlFunction = bind("glGetError", c_uint)
        self.get_string: GlFunction = bind("glGetString", c_char_p, c_uint)
        self.get_integer_v: GlFunction = bind("glGetIntegerv", None, c_uint, _INT_P)
        self.create_shader: GlFunction = bind("glCreateShader", c_uint, c_uint)
        self.shader_source: GlFunction = bind("glShaderSource", None, c_uint, c_int, POINTER(c_char_p), _INT_P)
        self.compile_shader: GlFunction = bind("glCompileShader", None, c_uint)
        self.get_shader_iv: GlFunction = bind("glGetShaderiv", None, c_uint, c_uint, _INT_P)
        self.get_shader_info_log: GlFunction = bind("glGetShaderInfoLog", None, c_uint, c_int, _INT_P, c_char_p)
        self.create_program: GlFunction = bind("glCreateProgram", c_uint)
        self.attach_shader: GlFunction = bind("glAttachShader", None, c_uint, c_uint)
        self.bind_attrib_location: GlFunction = bind("glBindAttribLocation", None, c_uint, c_uint, c_char_p)
        self.link_program: GlFunction = bind("glLinkProgram", None, c_uint)
        self.get_program_iv: GlFunction = bind("glGetProgramiv", None, c_uint, c_uint, _INT_P)
        self.get_program_info_log: GlFunction = bind("glGetProgramInfoLog", None, c_uint, c_int, _INT_P, c_char_p)
        self.use_program: GlFunction = bind("glUseProgram", None, c_uint)
        self.get_uniform_location: GlFunction = bind("glGetUniformLocation", c_int, c_uint, c_char_p)
        self.uniform_1i: GlFunction = bind("glUniform1i", None, c_int, c_int)
        self.uniform_1f: GlFunction = bind("glUniform1f", None, c_int, c_float)
        self.uniform_2f: GlFunction = bind("glUniform2f", None, c_int, c_float, c_float)
        self.uniform_3f: GlFunction = bind("glUniform3f", None, c_int, c_float, c_float, c_float)
        self.uniform_4f: GlFunction = bind("glUniform4f", None, c_int, c_float, c_float, c_float, c_float)
        self.uniform_matrix_4fv: GlFunction = bind("glUniformMatrix4fv", None, c_int, c_int, c_ubyte, c_void_p)
        self.gen_buffers: GlFunction = bind("glGenBuffers", None, c_int, _UINT_P)
        self.bind_buffer: GlFunction = bind("glBindBuffer", None, c_uint, c_uint)
        self.buffer_data: GlFunction = bind("glBufferData", None, c_uint, c_ssize_t, c_void_p, c_uint)
        self.buffer_sub_data: GlFunction = bind("glBufferSubData", None, c_uint, c_ssize_t, c_ssize_t, c_void_p)
        self.enable_vertex_attrib_array: GlFunction = bind("glEnableVertexAttribArray", None, c_uint)
        self.vertex_attrib_pointer: GlFunction = bind(
            "glVertexAttribPointer", None, c_uint, c_int, c_uint, c_ubyte, c_int, c_void_p
        )
        self.gen_textures: GlFunction = bind("glGenTextures", None, c_int, _UINT_P)
        self.active_texture: GlFunction = bind("glActiveTexture", None, c_uint)
        self.bind_texture: GlFunction = bind("glBindTexture", None, c_uint, c_uint)
        self.tex_image_2d: GlFunction = bind(
            "glTexImage2D", None, c_uint, c_int, c_int, c_int, c_int, c_int, c_uint, c_uint, c_void_p
        )
        self.tex_sub_image_2d: GlFunction = bind(
            "glTexSubImage2D", None, c_uint, c_int, c_int, c_int, c_int, c_int, c_uint, c_uint, c_void_p
        )
        self.copy_tex_sub_image_2d: GlFunction = bind(
            "glCopyTexSubImage2D", None, c_uint, c_int, c_int, c_int, c_int, c_int, c_int, c_int
        )
        self.tex_parameter_i: GlFunction = bind("glTexParameteri", None, c_uint, c_uint, c_int)
        self.pixel_store_i: GlFunction = bind("glPixelStorei", None, c_uint, c_int)
        self.viewport: GlFunction = bind("glViewport", None, c_int, c_int, c_int, c_int)
        self.scissor: GlFunction = bind("glScissor", None, c_int, c_int, c_int, c_int)
        self.clear: GlFunction = bind("glClear", None, c_uint)
        self.enable: GlFunction = bind("glEnable", None, c_uint)
        self.disable: GlFunction = bind("glDisable", None, c_uint)
        self.depth_mask: GlFunction = bind("glDepthMask", None, c_ubyte)
        self.depth_func: GlFunction = bind("glDepthFunc", None, c_uint)
        self.clear_color: GlFunction = bind("glClearColor", None, c_float, c_float, c_float, c_float)
        self.blend_func_separate: GlFunction = bind("glBlendFuncSeparate", None, c_uint, c_uint, c_uint, c_uint)
        self.gen_framebuffers: GlFunction = bind("glGenFramebuffers", None, c_int, _UINT_P)
        self.bind_framebuffer: GlFunction = bind("glBindFramebuffer", None, c_uint, c_uint)
        self.delete_framebuffers: GlFunction = bind("glDeleteFramebuffers", None, c_int, _UINT_P)
        self.framebuffer_texture_2d: GlFunction = bind(
            "glFramebufferTexture2D", None, c_uint, c_uint, c_uint, c_uint, c_int
        )
        self.check_framebuffer_status: GlFunction = bind("glCheckFramebufferStatus", c_uint, c_uint)
        self.gen_renderbuffers: GlFunction = bind("glGenRenderbuffers", None, c_int, _UINT_P)
        self.bind_renderbuffer: GlFunction = bind("glBindRenderbuffer", None, c_uint, c_uint)
        self.delete_renderbuffers: GlFunction = bind("glDeleteRenderbuffers", None, c_int, _UINT_P)
        self.renderbuffer_storage: GlFunction = bind("glRenderbufferStorage", None, c_uint, c_uint, c_int, c_int)
        self.framebuffer_renderbuffer: GlFunction = bind(
            "glFramebufferRenderbuffer", None, c_uint, c_uint, c_uint, c_uint
        )
        self.delete_textures: GlFunction = bind("glDeleteTextures", None, c_int, _UINT_P)
        self.draw_elements: GlFunction = bind("glDrawElements", None, c_uint, c_int, c_uint, c_void_p)
        self.draw_arrays: GlFunction = bind("glDrawArrays", None, c_uint, c_int, c_int)
        self.read_pixels: GlFunction = bind("glReadPixels", None, c_int, c_int, c_int, c_int, c_uint, c_uint, c_void_p)
        self.finish: GlFunction = bind("glFinish", None)

    def _bind(self, name: str, restype: Any, *argtypes: Any) -> GlFunction:
        try:
            function = getattr(self._library, name)
        except AttributeError:
            raise DisplayError(f"libGLESv2 lacks {name}: install a GLES 2.0 driver (Debian: libgles2)") from None
        function.restype = restype
        function.argtypes = argtypes
        return function  # type: ignore[no-any-return]

    def check(self, doing: str) -> None:
        """Raise DisplayError if a call since the last check caused a GL error. doing: named in the message."""
        code = self.get_error()
        if code:
            raise DisplayError(f"{doing}: {_ERROR_NAMES.get(code, hex(code))} from {self.text(RENDERER) or 'GL'}")

    def text(self, name: int) -> str:
        """glGetString as text, "" if the driver has none."""
        return (self.get_string(name) or b"").decode("utf-8", "replace")

    def integer(self, name: int) -> int:
        """glGetIntegerv for a single value."""
        value = c_int(0)
        self.get_integer_v(name, ctypes.byref(value))
        return value.value

    def new_framebuffer(self) -> int:
        """The name of a new framebuffer object."""
        return _generate(self.gen_framebuffers)

    def new_renderbuffer(self) -> int:
        """The name of a new renderbuffer object."""
        return _generate(self.gen_renderbuffers)

    def new_buffer(self) -> int:
        """The name of a new buffer object."""
        return _generate(self.gen_buffers)

    def new_texture(self) -> int:
        """The name of a new texture object."""
        return _generate(self.gen_textures)


def _generate(function: GlFunction) -> int:
    name = c_uint(0)
    function(1, ctypes.byref(name))
    return name.value


def _open_library(library: str) -> ctypes.CDLL:
    name = library or ctypes.util.find_library("GLESv2") or "libGLESv2.so.2"
    try:
        return ctypes.CDLL(name)
    except OSError as error:
        raise DisplayError(f"{name} cannot be loaded ({error}); on Debian: apt install libgles2") from error
