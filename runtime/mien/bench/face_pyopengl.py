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


class SwitchedGl(Gl):
    """A Gl whose calls of every picture can go through OpenGL.GLES2 instead, and back: one process, one context.

    Two processes differ by more than two bindings do.
    """

    def __init__(self, *, checked: bool) -> None:
        """checked: glGetError after every call, as PyOpenGL does unless told not to, once a process.

        Raises DisplayError when PyOpenGL is not there.
        """
        super().__init__()
        functions = _gles2(checked)
        self._own = {name: call for name, call in vars(self).items() if getattr(call, "__name__", "") in PER_PICTURE}
        self._other = {name: _adapted(functions, call) for name, call in self._own.items()}

    def use_pyopengl(self, wanted: bool) -> None:
        """From the next call on."""
        vars(self).update(self._other if wanted else self._own)


def _gles2(checked: bool) -> Any:
    os.environ.setdefault("PYOPENGL_PLATFORM", "egl")
    try:
        opengl = importlib.import_module("OpenGL")
        opengl.ERROR_CHECKING = checked  # type: ignore[attr-defined]
        if not checked:
            # PyOpenGL 3.1.10 has no checker then, and its GLES 2 module calls it all the same.
            importlib.import_module("OpenGL.error")._ErrorChecker = lambda *_: None  # type: ignore[attr-defined]
        return importlib.import_module("OpenGL.GLES2")
    except ImportError as error:
        raise DisplayError(f"no PyOpenGL ({error}): pip install PyOpenGL PyOpenGL-accelerate") from None


def _adapted(functions: Any, own: Any) -> GlFunction:
    function: GlFunction = getattr(functions, own.__name__)
    return _with_address(function) if own.argtypes and own.argtypes[-1] is ctypes.c_void_p else function


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
