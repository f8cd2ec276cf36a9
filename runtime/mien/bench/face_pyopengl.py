"""The same GL calls through PyOpenGL, to see what the project's own binding is worth. A development tool.

Addresses are handed over ready-made, and its error checks can be left out, as its manual advises for speed.
"""

import ctypes
import importlib
import os
from typing import Any, Final

from mien.errors import DisplayError
from mien.render.gl import Gl, GlFunction

# What a picture calls; the rest belongs to the start.
PER_PICTURE: Final = frozenset((
    "glUseProgram", "glUniform1f", "glUniform3f", "glUniform4f", "glUniformMatrix4fv", "glBindBuffer",
    "glBufferSubData", "glVertexAttribPointer", "glBindTexture", "glEnable", "glDisable", "glDepthMask",
    "glDrawElements", "glDrawArrays", "glClear", "glViewport", "glBindFramebuffer", "glFinish", "glGetError",
))  # fmt: skip


class PyOpenGl(Gl):
    """A Gl whose calls of every picture go through OpenGL.GLES2. Raises DisplayError when PyOpenGL is not there."""

    def __init__(self, *, checked: bool) -> None:
        """checked: glGetError after every call, as PyOpenGL does unless told not to."""
        os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
        try:
            opengl = importlib.import_module("OpenGL")
            opengl.ERROR_CHECKING = checked  # type: ignore[attr-defined]
            if not checked:
                # PyOpenGL 3.1.10 has no checker then, and its GLES 2 module calls it all the same.
                importlib.import_module("OpenGL.error")._ErrorChecker = lambda *_: None  # type: ignore[attr-defined]
            self._functions = importlib.import_module("OpenGL.GLES2")
        except ImportError as error:
            raise DisplayError(f"no PyOpenGL ({error}): pip install PyOpenGL PyOpenGL-accelerate") from None
        super().__init__()

    def _bind(self, name: str, restype: Any, *argtypes: Any) -> GlFunction:
        own = super()._bind(name, restype, *argtypes)
        if name not in PER_PICTURE:
            return own
        function: GlFunction = getattr(self._functions, name)
        return _with_address(function) if argtypes and argtypes[-1] is ctypes.c_void_p else function


def _with_address(function: GlFunction) -> GlFunction:
    """PyOpenGL wants an address, which is always the last argument here, as a c_void_p."""
    made: dict[int, ctypes.c_void_p] = {}

    def call(*arguments: Any) -> Any:
        *others, address = arguments
        pointer = made.get(address)
        if pointer is None:
            pointer = made[address] = ctypes.c_void_p(address)
        return function(*others, pointer)

    return call
