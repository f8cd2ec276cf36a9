"""A linked GLSL program."""

import ctypes
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from typing import Any

from mien.errors import DisplayError
from mien.render import gl as gles
from mien.render.gl import Gl


def read_shader(name: str) -> str:
    """The source of a shader of this package, such as "face.vert"."""
    return (resources.files("mien.render") / "shaders" / name).read_text(encoding="utf-8")


def with_defines(source: str, defines: Sequence[str]) -> str:
    """The source with names defined for its #ifdefs, inserted after the #version line, as GLSL requires."""
    version, rest = source.split("\n", 1)
    return "\n".join((version, *(f"#define {name}" for name in defines), rest))


class Program:
    """A vertex and a fragment shader, linked. Raises DisplayError with the driver's log."""

    def __init__(self, gl: Gl, name: str, attributes: Mapping[str, int], defines: Sequence[str] = ()) -> None:
        """name: the stem of NAME.vert and NAME.frag. attributes: location of each. defines: names for #ifdef."""
        self._gl = gl
        self._name = name
        self._defines = defines
        self.id = int(gl.create_program())
        gl.attach_shader(self.id, self._compile("vert", gles.VERTEX_SHADER))
        gl.attach_shader(self.id, self._compile("frag", gles.FRAGMENT_SHADER))
        for attribute, location in attributes.items():
            gl.bind_attrib_location(self.id, location, attribute.encode())
        gl.link_program(self.id)
        if not self._status(gl.get_program_iv, self.id, gles.LINK_STATUS):
            log = self._log(gl.get_program_iv, gl.get_program_info_log, self.id)
            raise DisplayError(f"the driver cannot link the {name} shaders: {log}")

    def use(self) -> None:
        """Use this program for the following draw calls."""
        self._gl.use_program(self.id)

    def uniform(self, name: str) -> int:
        """Location of a uniform; -1, which GL ignores, if the compiler removed it."""
        return int(self._gl.get_uniform_location(self.id, name.encode()))

    def _compile(self, suffix: str, kind: int) -> int:
        gl = self._gl
        shader = int(gl.create_shader(kind))
        source = with_defines(read_shader(f"{self._name}.{suffix}"), self._defines)
        gl.shader_source(shader, 1, ctypes.byref(ctypes.c_char_p(source.encode())), None)
        gl.compile_shader(shader)
        if not self._status(gl.get_shader_iv, shader, gles.COMPILE_STATUS):
            log = self._log(gl.get_shader_iv, gl.get_shader_info_log, shader)
            raise DisplayError(f"the driver cannot compile {self._name}.{suffix}: {log}")
        return shader

    @staticmethod
    def _status(getter: Callable[..., Any], name: int, what: int) -> int:
        value = ctypes.c_int(0)
        getter(name, what, ctypes.byref(value))
        return value.value

    def _log(self, getter: Callable[..., Any], log_getter: Callable[..., Any], name: int) -> str:
        length = max(1, self._status(getter, name, gles.INFO_LOG_LENGTH))
        text = ctypes.create_string_buffer(length)
        log_getter(name, length, None, text)
        return text.value.decode("utf-8", "replace").strip() or "(no log from the driver)"
