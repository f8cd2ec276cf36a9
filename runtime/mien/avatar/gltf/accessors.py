"""glTF accessors as arrays: dense, sparse, strided, quantized or meshopt-compressed."""

from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.avatar.gltf import meshopt
from mien.avatar.gltf.glb import AGAIN, Glb
from mien.avatar.gltf.schema import Accessor, BufferView
from mien.errors import AvatarError

COMPONENTS: Final = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
WIDTHS: Final = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
MAX_ACCESSOR_COUNT: Final = 1_000_000
MAX_MAGNITUDE: Final = 1e6
MAX_DECODED_BYTES: Final = 512 * 2**20
# The meshopt decoder is pure Python and decodes about 10 MB a second on a desktop CPU.
MAX_MESHOPT_BYTES: Final = 96 * 2**20
MESHOPT: Final = ("EXT_meshopt_compression", "KHR_meshopt_compression")


class MeshoptView(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The EXT_meshopt_compression object of a buffer view."""

    buffer: int
    byte_length: int
    byte_stride: int
    count: int
    mode: str
    byte_offset: int = 0
    filter: str = "NONE"


class Reader:
    """Reads the accessors and buffer views of one file, with a limit on their total decoded size."""

    def __init__(self, glb: Glb) -> None:
        self._glb = glb
        self._views: dict[int, NDArray[np.uint8]] = {}
        self._left = MAX_DECODED_BYTES
        self._meshopt_left = MAX_MESHOPT_BYTES

    def floats(self, index: int, width: int, count: int | None = None, field: str = "") -> NDArray[np.float32]:
        """Accessor `index` as float32 (count, width). field: what it is read for, for messages.

        Raises AvatarError when it is out of range, has another width or count, or holds NaN.
        """
        accessor = self._glb.pick("accessors", index)
        if WIDTHS.get(accessor.type) != width:
            raise AvatarError(f"accessors[{index}].type: {accessor.type[:20]}, expected {width} components; {AGAIN}")
        self._require(count, accessor, field)
        raw = self._array(index, accessor, width)
        values = raw.astype(np.float32)
        if accessor.normalized and raw.dtype.kind in "iu":
            values = np.maximum(values / np.float32(np.iinfo(raw.dtype).max), np.float32(-1))
        # NaN fails the comparison too. The limit leaves headroom for squaring transformed values.
        if values.size and not float(np.abs(values).max()) <= MAX_MAGNITUDE:
            raise AvatarError(f"accessors[{index}]: holds NaN, infinity or an absurd length; {AGAIN}")
        return values

    def integers(self, index: int, width: int = 1, count: int | None = None, field: str = "") -> NDArray[np.int64]:
        """Accessor `index` as int64 (count,) or (count, width)."""
        accessor = self._glb.pick("accessors", index)
        if WIDTHS.get(accessor.type) != width or accessor.component_type == 5126:
            raise AvatarError(f"accessors[{index}]: expected {width} integers each; {AGAIN}")
        self._require(count, accessor, field)
        values = self._array(index, accessor, width).astype(np.int64)
        if values.size and int(values.min()) < 0:
            raise AvatarError(f"accessors[{index}]: {int(values.min())} is not an index; {AGAIN}")
        return values[:, 0] if width == 1 else values

    def width(self, index: int) -> int:
        """The number of components of an accessor's elements; 0 for an unsupported type."""
        return WIDTHS.get(self._glb.pick("accessors", index).type, 0)

    def view_bytes(self, index: int) -> NDArray[np.uint8]:
        """The bytes of a buffer view, decompressed."""
        if index not in self._views:
            view = self._glb.pick("buffer_views", index)
            packed = next((view.extensions[name] for name in MESHOPT if name in view.extensions), None)
            field = f"bufferViews[{index}]"
            self._views[index] = self._slice(field, view) if packed is None else self._meshopt(field, packed)
        return self._views[index]

    @staticmethod
    def _require(count: int | None, accessor: Accessor, field: str) -> None:
        if count is not None and accessor.count != count:
            raise AvatarError(f"{field}: {accessor.count} elements for {count} vertices; {AGAIN}")

    def _slice(self, field: str, view: BufferView | MeshoptView) -> NDArray[np.uint8]:
        data = self._glb.buffer(view.buffer)
        end = view.byte_offset + view.byte_length
        if view.byte_offset < 0 or view.byte_length < 0 or end > len(data):
            raise AvatarError(
                f"{field}: bytes {view.byte_offset} to {end} of buffers[{view.buffer}] with {len(data)}; "
                "is the copy complete?"
            )
        return data[view.byte_offset : end]

    def _meshopt(self, field: str, extension: Any) -> NDArray[np.uint8]:
        try:
            view = msgspec.convert(extension, MeshoptView)
        except msgspec.ValidationError as error:
            raise AvatarError(f"{field}.extensions.{MESHOPT[0]}: {error}; {AGAIN}") from None
        self._spend(field, view.count, view.byte_stride)
        self._meshopt_left -= view.count * view.byte_stride
        if self._meshopt_left < 0:
            raise AvatarError(
                f"{field}: more than {MAX_MESHOPT_BYTES} bytes are compressed; remove everything but the head"
            )
        data = self._slice(field, view)
        try:
            return meshopt.decode(data, view.mode, view.filter, view.count, view.byte_stride)
        except AvatarError as error:
            raise AvatarError(f"{field}.extensions.{error}; {AGAIN}") from None

    def _spend(self, field: str, count: int, each: int) -> None:
        if not 0 <= count <= MAX_ACCESSOR_COUNT or not 0 < each <= 256:
            raise AvatarError(
                f"{field}: {count} elements of {each} bytes; at most {MAX_ACCESSOR_COUNT} are read. "
                "Reduce the mesh before the export"
            )
        self._left -= count * each
        if self._left < 0:
            raise AvatarError(
                f"{field}: the file expands to more than {MAX_DECODED_BYTES} bytes; reduce the mesh before the export"
            )

    def _array(self, index: int, accessor: Accessor, width: int) -> NDArray[Any]:
        field = f"accessors[{index}]"
        kind = COMPONENTS.get(accessor.component_type)
        if kind is None:
            raise AvatarError(f"{field}.componentType: {accessor.component_type} is unknown; {AGAIN}")
        dtype = np.dtype(kind)
        self._spend(field, accessor.count, dtype.itemsize * width)
        if accessor.buffer_view is None:
            values = np.zeros((accessor.count, width), dtype=dtype)
        else:
            values = self._strided(field, accessor.buffer_view, accessor.byte_offset, accessor.count, width, dtype)
        if accessor.sparse is None:
            return values
        return self._with_sparse(field, values.copy(), accessor)

    def _strided(
        self, field: str, view: int, offset: int, count: int, width: int, dtype: np.dtype[Any]
    ) -> NDArray[Any]:
        data, size = self.view_bytes(view), dtype.itemsize * width
        stride = self._glb.pick("buffer_views", view).byte_stride or size
        end = offset + stride * (count - 1) + size if count else offset
        if offset < 0 or stride < size or end > len(data):
            raise AvatarError(
                f"{field}: {count} elements of {size} bytes, {stride} apart from byte {offset}, do not fit into "
                f"bufferViews[{view}] with {len(data)}; {AGAIN}"
            )
        if count == 0:
            return np.zeros((0, width), dtype=dtype)
        window = data[offset:end]
        rows = np.lib.stride_tricks.as_strided(window, (count, size), (stride * window.strides[0], window.strides[0]))
        return np.ascontiguousarray(rows).view(dtype).reshape(count, width)

    def _with_sparse(self, field: str, values: NDArray[Any], accessor: Accessor) -> NDArray[Any]:
        sparse = accessor.sparse
        assert sparse is not None
        kind = COMPONENTS.get(sparse.indices.component_type)
        if kind not in ("<u1", "<u2", "<u4") or not 0 <= sparse.count <= accessor.count:
            raise AvatarError(
                f"{field}.sparse: {sparse.count} of {accessor.count} elements, or indices of an unknown type; {AGAIN}"
            )
        at = sparse.indices
        where = self._strided(
            f"{field}.sparse.indices", at.buffer_view, at.byte_offset, sparse.count, 1, np.dtype(kind)
        )
        if sparse.count and int(where.max()) >= accessor.count:
            raise AvatarError(f"{field}.sparse.indices: {int(where.max())} of {accessor.count} elements; {AGAIN}")
        by = sparse.values
        values[where[:, 0]] = self._strided(
            f"{field}.sparse.values", by.buffer_view, by.byte_offset, sparse.count, values.shape[1], values.dtype
        )
        return values
