"""The accessor reader at its limits: the last valid value is read, the next is refused with its location."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from mien.avatar.gltf import accessors
from mien.avatar.gltf.accessors import MAX_ACCESSOR_COUNT, MAX_MAGNITUDE, Reader
from mien.avatar.gltf.glb import Glb
from mien.avatar.gltf.schema import Gltf
from mien.errors import AvatarError

VEC3 = {"componentType": 5126, "type": "VEC3", "bufferView": 0}
ROWS = np.arange(12, dtype="<f4").reshape(4, 3)


def reader(
    accessor: dict[str, Any] | list[dict[str, Any]], view: dict[str, Any] | list[dict[str, Any]], binary: bytes
) -> Reader:
    """A reader of a file with these accessors and views of one buffer."""
    json = {
        "asset": {"version": "2.0"},
        "buffers": [{"byteLength": len(binary)}],
        "bufferViews": [{"buffer": 0, **item} for item in ([view] if isinstance(view, dict) else view)],
        "accessors": [accessor] if isinstance(accessor, dict) else accessor,
    }
    return Reader(Glb(msgspec.convert(json, Gltf), binary, Path()))


def test_an_accessor_that_fills_its_view_is_read_and_one_byte_less_is_refused() -> None:
    fits = reader({**VEC3, "count": 4}, {"byteLength": 48}, ROWS.tobytes())
    np.testing.assert_array_equal(fits.floats(0, 3), ROWS)
    for missing in (1, 12):
        with pytest.raises(AvatarError, match=rf"accessors\[0\]: 4 elements .* with {48 - missing}"):
            reader({**VEC3, "count": 4}, {"byteLength": 48 - missing}, ROWS.tobytes()).floats(0, 3)


def test_the_last_of_spaced_elements_needs_no_space_after_it() -> None:
    spaced = np.zeros((4, 5), dtype="<f4")
    spaced[:, 1:4] = ROWS
    accessor, view = {**VEC3, "count": 4, "byteOffset": 4}, {"byteLength": 76, "byteStride": 20}
    np.testing.assert_array_equal(reader(accessor, view, spaced.tobytes()).floats(0, 3), ROWS)
    with pytest.raises(AvatarError, match="20 apart from byte 4, do not fit"):
        reader(accessor, view | {"byteLength": 75}, spaced.tobytes()).floats(0, 3)


@pytest.mark.parametrize(("offset", "stride"), [(-4, None), (-48, None), (0, 8), (0, 11)])
def test_elements_before_the_view_or_over_each_other_are_refused(offset: int, stride: int | None) -> None:
    view = {"byteLength": 96, "byteOffset": 48, "byteStride": stride}
    with pytest.raises(AvatarError, match=rf"{stride or 12} apart from byte {offset}, do not fit"):
        reader({**VEC3, "count": 4, "byteOffset": offset}, view, bytes(192)).floats(0, 3)


def test_no_elements_are_read_from_the_end_and_not_from_beyond_it() -> None:
    assert reader({**VEC3, "count": 0, "byteOffset": 48}, {"byteLength": 48}, bytes(48)).floats(0, 3).shape == (0, 3)
    for stride in (None, 20):
        view = {"byteLength": 48, "byteStride": stride}
        with pytest.raises(AvatarError, match="do not fit"):
            reader({**VEC3, "count": 0, "byteOffset": 49}, view, bytes(48)).floats(0, 3)


@pytest.mark.parametrize(
    ("view", "says"),
    [
        ({"byteLength": 49}, "bytes 0 to 49 of"),
        ({"byteLength": 48, "byteOffset": 1}, "bytes 1 to 49 of"),
        ({"byteLength": 48, "byteOffset": -1}, "bytes -1 to 47 of"),
        ({"byteLength": -1, "byteOffset": 1}, "bytes 1 to 0 of"),
    ],
)
def test_a_view_outside_its_buffer_is_refused(view: dict[str, int], says: str) -> None:
    with pytest.raises(AvatarError, match=says + r" buffers\[0\] with 48"):
        reader({**VEC3, "count": 0}, view, bytes(48)).view_bytes(0)


def test_a_view_may_end_with_its_buffer() -> None:
    found = reader({**VEC3, "count": 0}, {"byteLength": 47, "byteOffset": 1}, bytes(range(48))).view_bytes(0)
    assert found.tolist() == list(range(1, 48))


@pytest.mark.parametrize(
    ("component", "dtype", "least", "most"),
    [(5120, "<i1", -1.0, 1.0), (5121, "<u1", 0.0, 1.0), (5122, "<i2", -1.0, 1.0), (5123, "<u2", 0.0, 1.0)],
)
def test_normalized_integers_are_shares_of_their_largest(component: int, dtype: str, least: float, most: float) -> None:
    """The lowest signed value is one step below -1 and is clamped (glTF 2.0, 3.11)."""
    info = np.iinfo(dtype)
    data = np.array([info.min, info.max // 2, info.max], dtype=dtype).tobytes()
    accessor = {"componentType": component, "type": "SCALAR", "count": 3, "bufferView": 0}
    shares = reader({**accessor, "normalized": True}, {"byteLength": len(data)}, data).floats(0, 1)[:, 0]
    np.testing.assert_allclose(shares, [least, (info.max // 2) / info.max, most], rtol=1e-6)
    plain = reader(accessor, {"byteLength": len(data)}, data).floats(0, 1)[:, 0]
    np.testing.assert_array_equal(plain, [info.min, info.max // 2, info.max])


@pytest.mark.parametrize("sign", [1, -1])
def test_lengths_up_to_the_limit_are_read(sign: int) -> None:
    def read(value: float) -> None:
        data = np.array([0, 0, value], dtype="<f4").tobytes()
        reader({**VEC3, "count": 1}, {"byteLength": 12}, data).floats(0, 3)

    read(sign * MAX_MAGNITUDE)
    for wrong in (sign * MAX_MAGNITUDE * 1.001, np.nan, sign * np.inf):
        with pytest.raises(AvatarError, match=r"accessors\[0\]: holds NaN, infinity or an absurd length"):
            read(wrong)


def sparse(count: int, index: int, *, of: int = 4, component: int = 5121) -> Reader:
    """An accessor of zeros in which `count` elements are replaced, the last of them at `index`."""
    indices = np.array([*range(count - 1), index][:count], dtype=accessors.COMPONENTS[component])
    values = np.arange(1, 3 * count + 1, dtype="<f4")
    pad = bytes(-indices.nbytes % 4)
    views = [
        {"byteLength": indices.nbytes},
        {"byteOffset": indices.nbytes + len(pad), "byteLength": values.nbytes},
    ]
    table = {
        "count": count,
        "indices": {"bufferView": 0, "componentType": component},
        "values": {"bufferView": 1},
    }
    accessor = {"componentType": 5126, "type": "VEC3", "count": of, "sparse": table}
    return reader(accessor, views, indices.tobytes() + pad + values.tobytes())


def test_sparse_elements_replace_up_to_the_last_and_not_beyond() -> None:
    np.testing.assert_array_equal(sparse(1, 3).floats(0, 3), [[0, 0, 0]] * 3 + [[1, 2, 3]])
    np.testing.assert_array_equal(sparse(4, 3).floats(0, 3)[:, 0], [1, 4, 7, 10])
    for beyond in (4, 200):
        with pytest.raises(AvatarError, match=rf"accessors\[0\]\.sparse\.indices: {beyond} of 4 elements"):
            sparse(1, beyond).floats(0, 3)
        with pytest.raises(AvatarError, match=rf"accessors\[0\]\.sparse\.indices: {beyond} of 4 elements"):
            sparse(3, beyond).floats(0, 3)
    assert not sparse(0, 0).floats(0, 3).any()


def test_more_sparse_elements_than_there_are_or_strange_indices_are_refused() -> None:
    with pytest.raises(AvatarError, match=r"accessors\[0\]\.sparse: 5 of 4 elements"):
        sparse(5, 3).floats(0, 3)
    for component in (5122, 5126):
        with pytest.raises(AvatarError, match="indices of an unknown type"):
            sparse(1, 3, component=component).floats(0, 3)


def test_sparse_elements_leave_the_view_that_they_are_laid_over() -> None:
    data = ROWS.tobytes() + b"\x01\0\0\0" + np.float32([9, 9, 9]).tobytes()
    views = [{"byteLength": 48}, {"byteOffset": 48, "byteLength": 1}, {"byteOffset": 52, "byteLength": 12}]
    table = {"count": 1, "indices": {"bufferView": 1, "componentType": 5121}, "values": {"bufferView": 2}}
    read = reader([{**VEC3, "count": 4, "sparse": table}, {**VEC3, "count": 4}], views, data)
    np.testing.assert_array_equal(read.floats(0, 3)[1], [9, 9, 9])
    np.testing.assert_array_equal(read.floats(1, 3), ROWS)


def test_indices_are_whole_not_negative_and_flat_when_single() -> None:
    data = np.array([3, 0, 65_535], dtype="<u2").tobytes()
    accessor = {"componentType": 5123, "type": "SCALAR", "count": 3, "bufferView": 0}
    found = reader(accessor, {"byteLength": 6}, data).integers(0)
    assert (found.dtype, found.tolist()) == (np.dtype(np.int64), [3, 0, 65_535])
    signed = {**accessor, "componentType": 5122}
    with pytest.raises(AvatarError, match=r"accessors\[0\]: -1 is not an index"):
        reader(signed, {"byteLength": 6}, data).integers(0)
    assert reader(signed, {"byteLength": 6}, bytes(6)).integers(0).tolist() == [0, 0, 0]
    for wrong in ({**accessor, "componentType": 5126}, {**accessor, "type": "VEC2"}):
        with pytest.raises(AvatarError, match="expected 1 integers each"):
            reader(wrong, {"byteLength": 48}, bytes(48)).integers(0)
    assert reader({**signed, "count": 0}, {"byteLength": 0}, b"").integers(0).shape == (0,)
    four = {"componentType": 5121, "type": "VEC4", "count": 2, "bufferView": 0}
    assert reader(four, {"byteLength": 8}, bytes(range(8))).integers(0, 4).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]


@pytest.mark.parametrize("way", ["floats", "integers"])
def test_a_count_that_does_not_go_with_the_mesh_names_its_field(way: str) -> None:
    accessor = {"componentType": 5121, "type": "SCALAR", "count": 4, "bufferView": 0}
    read = getattr(reader(accessor, {"byteLength": 4}, bytes(4)), way)
    assert len(read(0, 1, 4, "WEIGHTS_0")) == 4
    for count in (3, 5):
        with pytest.raises(AvatarError, match=f"WEIGHTS_0: 4 elements for {count} vertices"):
            read(0, 1, count, "WEIGHTS_0")


@pytest.mark.parametrize(("kind", "width"), [("SCALAR", 1), ("VEC2", 2), ("VEC3", 3), ("VEC4", 4), ("MAT2", 0)])
def test_width_is_of_the_types_that_are_read(kind: str, width: int) -> None:
    accessor = {"componentType": 5126, "type": kind, "count": 1, "bufferView": 0}
    assert reader(accessor, {"byteLength": 64}, bytes(64)).width(0) == width


def test_as_many_elements_as_the_limit_are_read() -> None:
    accessor = {"componentType": 5121, "type": "SCALAR"}
    assert len(reader({**accessor, "count": MAX_ACCESSOR_COUNT}, [], b"").floats(0, 1)) == MAX_ACCESSOR_COUNT
    with pytest.raises(AvatarError, match=f"{MAX_ACCESSOR_COUNT + 1} elements of 1 bytes; at most"):
        reader({**accessor, "count": MAX_ACCESSOR_COUNT + 1}, [], b"").floats(0, 1)


def test_what_a_file_expands_to_is_counted_over_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accessors, "MAX_DECODED_BYTES", 144)
    read = reader({**VEC3, "count": 4}, {"byteLength": 48}, ROWS.tobytes())
    for _ in range(3):
        read.floats(0, 3)
    with pytest.raises(AvatarError, match=r"accessors\[0\]: the file expands to more than 144 bytes"):
        read.floats(0, 3)


def compressed(count: int) -> dict[str, Any]:
    """A compressed view of `count` zeros of 4 bytes: a header, empty planes, the first element."""
    packed = {"buffer": 0, "byteLength": 25, "byteStride": 4, "count": count, "mode": "ATTRIBUTES"}
    return {"byteLength": 0, "extensions": {"EXT_meshopt_compression": packed}}


def test_what_is_compressed_has_a_limit_of_its_own_over_all_views(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accessors, "MAX_MESHOPT_BYTES", 128)
    read = reader([], [compressed(16), compressed(16), compressed(1)], b"\xa0" + bytes(24))
    for _ in range(3):  # a view is decompressed once, however often it is read
        assert len(read.view_bytes(0)) == len(read.view_bytes(1)) == 64
    with pytest.raises(AvatarError, match=r"bufferViews\[2\]: more than 128 bytes are compressed"):
        read.view_bytes(2)
    monkeypatch.setattr(accessors, "MAX_MESHOPT_BYTES", 127)
    read = reader([], [compressed(16), compressed(16)], b"\xa0" + bytes(24))
    read.view_bytes(0)
    with pytest.raises(AvatarError, match=r"bufferViews\[1\]: more than 127 bytes"):
        read.view_bytes(1)
