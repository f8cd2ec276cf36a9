"""Vertex buffers on the GPU: static attributes in one, moving ones in three that rotate."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.core.mesh import Mesh, Role
from mien.render import gl as gles
from mien.render.gl import Gl
from mien.render.morph import Range, join

# A buffer is written while the GPU still reads the previous one; with three the driver never waits or copies.
BUFFER_COUNT = 3
POSITION, NORMAL, UV, COLOR, BIND = range(5)
ATTRIBUTES = {"a_position": POSITION, "a_normal": NORMAL, "a_uv": UV, "a_color": COLOR, "a_bind": BIND}

# bind: how far a vertex follows the head, the left eye and the right eye, 0..255; the fourth is padding.
STATIC_VERTEX = np.dtype([("uv", "<f4", 2), ("color", "u1", 4), ("bind", "u1", 4)])
EYE_BINDINGS: Final[dict[Role, int]] = {"eye_left": 1, "eye_right": 2}
_ROW_BYTES = 24


def static_vertices(mesh: Mesh, order: NDArray[np.intp]) -> NDArray[np.void]:
    """The static attributes of a mesh, STATIC_VERTEX (V,), with its vertices in `order`."""
    bind = np.zeros((len(order), 4), dtype=np.float32)
    bind[:, 0] = mesh.head_weights
    for part in mesh.parts:
        if part.role in EYE_BINDINGS:
            used = mesh.indices[part.first_index : part.first_index + part.index_count]
            bind[used, EYE_BINDINGS[part.role]] = 1.0
    static = np.empty(len(order), dtype=STATIC_VERTEX)
    static["uv"] = mesh.uvs[order]
    static["color"] = mesh.colors[order]
    static["bind"] = np.rint(bind[order] * 255)
    return static


class VertexBuffers:
    """The buffers of one mesh. Their attributes stay enabled for the lifetime of the context."""

    def __init__(
        self, gl: Gl, moving: NDArray[np.float32], static: NDArray[np.void], indices: NDArray[np.uint16]
    ) -> None:
        """moving: float32 (V, 6), kept, and read at every upload. static: STATIC_VERTEX (V,). indices: (I,)."""
        self._gl = gl
        self._moving = moving
        self._address = moving.ctypes.data
        self._static = self._filled(gles.ARRAY_BUFFER, static, gles.STATIC_DRAW)
        self._indices = self._filled(gles.ELEMENT_ARRAY_BUFFER, indices, gles.STATIC_DRAW)
        self._buffers = [self._filled(gles.ARRAY_BUFFER, moving, gles.DYNAMIC_DRAW) for _ in range(BUFFER_COUNT)]
        self._stale: list[Range] = [(0, 0)] * BUFFER_COUNT
        self._current = 0
        for location in ATTRIBUTES.values():
            gl.enable_vertex_attrib_array(location)
        self._point_static()
        self._point_moving()

    def upload(self, changed: Range) -> None:
        """Upload the rows changed since the last upload; does nothing for an empty range."""
        if changed[0] == changed[1]:
            return
        self._stale = [join(range_, changed) for range_ in self._stale]
        self._current = (self._current + 1) % BUFFER_COUNT
        first, last = self._stale[self._current]
        self._stale[self._current] = (0, 0)
        self._gl.bind_buffer(gles.ARRAY_BUFFER, self._buffers[self._current])
        self._gl.buffer_sub_data(
            gles.ARRAY_BUFFER, first * _ROW_BYTES, (last - first) * _ROW_BYTES, self._address + first * _ROW_BYTES
        )
        self._attach()

    def _point_moving(self) -> None:
        self._gl.bind_buffer(gles.ARRAY_BUFFER, self._buffers[self._current])
        self._attach()

    def _attach(self) -> None:
        pointer = self._gl.vertex_attrib_pointer
        pointer(POSITION, 3, gles.FLOAT, 0, _ROW_BYTES, 0)
        pointer(NORMAL, 3, gles.FLOAT, 0, _ROW_BYTES, 12)

    def _point_static(self) -> None:
        gl, size = self._gl, STATIC_VERTEX.itemsize
        gl.bind_buffer(gles.ARRAY_BUFFER, self._static)
        gl.vertex_attrib_pointer(UV, 2, gles.FLOAT, 0, size, 0)
        gl.vertex_attrib_pointer(COLOR, 4, gles.UNSIGNED_BYTE, 1, size, 8)
        gl.vertex_attrib_pointer(BIND, 4, gles.UNSIGNED_BYTE, 1, size, 12)

    def _filled(self, target: int, data: NDArray[np.generic], usage: int) -> int:
        name = self._gl.new_buffer()
        self._gl.bind_buffer(target, name)
        self._gl.buffer_data(target, data.nbytes, data.ctypes.data, usage)
        return name
