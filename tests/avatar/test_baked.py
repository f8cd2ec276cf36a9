"""The baked format: round trips; damaged files are refused with a clear error."""

import dataclasses
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mien.avatar.baked import FOOTER, MAGIC, PREFIX, VERSION, read_baked, write_baked
from mien.core.mesh import Mesh
from mien.errors import AvatarError


@pytest.fixture
def signed(tetrahedron: Mesh, tmp_path: Path) -> Path:
    path = tmp_path / "tetrahedron.mien-avatar"
    write_baked(tetrahedron, path)
    return path


@pytest.fixture
def baked(signed: Path) -> Path:
    """A file without a checksum, as in earlier versions: the checks behind it must suffice."""
    signed.write_bytes(signed.read_bytes()[: -FOOTER.size])
    change_header(signed, lambda header: header.pop("signed"))
    return signed


def change_header(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Rewrite the header within the space before the arrays."""
    data = bytearray(path.read_bytes())
    _, _, length = PREFIX.unpack_from(data)
    header = json.loads(data[PREFIX.size : PREFIX.size + length])
    body_at = min(header["arrays"].values())
    change(header)
    encoded = json.dumps(header, separators=(",", ":")).encode()
    assert PREFIX.size + len(encoded) <= body_at, "the change does not fit the test file"
    data[: PREFIX.size] = PREFIX.pack(MAGIC, VERSION, len(encoded))
    data[PREFIX.size : PREFIX.size + len(encoded)] = encoded
    path.write_bytes(data)


def header_of(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    length = PREFIX.unpack_from(data)[2]
    return json.loads(data[PREFIX.size : PREFIX.size + length])


def test_what_is_written_is_read(tetrahedron: Mesh, baked: Path) -> None:
    mesh = read_baked(baked)
    for field in ("positions", "normals", "uvs", "colors", "head_weights", "indices", "neck_pivot", "eye_pivots"):
        written, read = getattr(tetrahedron, field), getattr(mesh, field)
        assert read.dtype == written.dtype
        np.testing.assert_array_equal(read, written)
    assert mesh.parts == tetrahedron.parts
    assert mesh.name == tetrahedron.name
    assert mesh.frame_height == tetrahedron.frame_height
    np.testing.assert_array_equal(mesh.textures[0], tetrahedron.textures[0])
    assert [target.name for target in mesh.targets] == ["jawOpen", "breath"]


def test_deltas_come_back_as_float32_within_a_32767th_of_the_largest(tetrahedron: Mesh, baked: Path) -> None:
    for written, read in zip(tetrahedron.targets, read_baked(baked).targets, strict=True):
        assert read.positions.dtype == np.float32
        np.testing.assert_array_equal(read.vertices, written.vertices)
        for field in ("positions", "normals"):
            tolerance = np.abs(getattr(written, field)).max(initial=0) / 32767
            np.testing.assert_allclose(getattr(read, field), getattr(written, field), atol=tolerance, rtol=0)


def test_the_neutral_mesh_is_mapped_not_copied(baked: Path) -> None:
    mesh = read_baked(baked)
    assert not mesh.positions.flags.owndata
    assert not mesh.positions.flags.writeable


def test_a_signed_file_is_read(signed: Path, tetrahedron: Mesh) -> None:
    np.testing.assert_array_equal(read_baked(signed).positions, tetrahedron.positions)


@pytest.mark.parametrize("at", [20, 300, -200, -80, -9, -8, -1])
def test_one_bit_anywhere_breaks_the_checksum(signed: Path, at: int) -> None:
    data = bytearray(signed.read_bytes())
    data[at] ^= 1
    signed.write_bytes(data)
    with pytest.raises(AvatarError, match="bake it again"):
        read_baked(signed)


@pytest.mark.parametrize("kept", [-1, -8, -64, 900])
def test_a_signed_file_cut_short_is_refused(signed: Path, kept: int) -> None:
    signed.write_bytes(signed.read_bytes()[:kept])
    with pytest.raises(AvatarError, match=r"complete\?|header"):
        read_baked(signed)


@pytest.mark.parametrize("kept", [0, 7, 15, 16, 200, -64, -1])
def test_a_truncated_file_is_refused(baked: Path, kept: int) -> None:
    baked.write_bytes(baked.read_bytes()[:kept])
    with pytest.raises(AvatarError, match=baked.name):
        read_baked(baked)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AvatarError, match="No such file"):
        read_baked(tmp_path / "none.mien-avatar")


def test_another_magic_is_refused_with_the_remedy(baked: Path) -> None:
    baked.write_bytes(b"glTF" + baked.read_bytes()[4:])
    with pytest.raises(AvatarError, match="mien avatar bake"):
        read_baked(baked)


def test_a_newer_version_is_named(baked: Path) -> None:
    data = bytearray(baked.read_bytes())
    data[8:12] = (VERSION + 1).to_bytes(4, "little")
    baked.write_bytes(data)
    with pytest.raises(AvatarError, match=f"version {VERSION + 1}"):
        read_baked(baked)


def set_path(*path: Any) -> Callable[[dict[str, Any]], None]:
    """set_path("a", 0, "b", value): header["a"][0]["b"] = value."""
    *keys, last, value = path

    def change(header: dict[str, Any]) -> None:
        node: Any = header
        for key in keys:
            node = node[key]
        node[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (set_path("vertex_count", 65_536), "vertex_count"),
        (set_path("vertex_count", -4), "vertex_count"),
        (set_path("vertex_count", 60_000), "positions"),
        (set_path("index_count", 10**15), "index_count"),
        (set_path("index_count", 599_997), "indices"),
        (set_path("index_count", 11), "indices"),
        (set_path("arrays", "positions", -64), "positions"),
        (set_path("arrays", "uvs", 10**12), "uvs"),
        (set_path("arrays", "uvs", 3), "uvs"),
        (set_path("textures", 0, "width", 100_000), r"textures\[0\].width"),
        (set_path("textures", 0, "height", 2048), r"textures\[0\]"),
        (set_path("textures", 0, "length", 10**12), r"textures\[0\]"),
        (set_path("textures", 0, "length", -1), r"textures\[0\]"),
        (set_path("targets", 0, "count", 5), r"targets\[0\].count"),
        (set_path("targets", 0, "vertices", 10**12), "vertices"),
        (set_path("targets", 0, "name", "jawDrop"), "jawDrop"),
        (set_path("targets", 1, "name", "jawOpen"), "twice"),
        (set_path("targets", 0, "position_scale", 1e300), "position_scale"),
        (set_path("targets", 0, "normal_scale", -1.0), "normal_scale"),
        (set_path("parts", 0, "role", "nose"), "role"),
        (set_path("parts", 0, "texture", 1), "texture"),
        (set_path("parts", 0, "first_index", 3), r"parts\[0\]"),
        (set_path("parts", 0, "first_index", -3), r"parts\[0\]"),
        (set_path("parts", 0, "index_count", 4), r"parts\[0\]"),
        (set_path("parts", 0, "specular", 2), "specular"),
        (set_path("frame_height", 0), "frame_height"),
        (set_path("neck_pivot", [1e9, 0, 0]), "neck_pivot"),
        (set_path("surprise", 1), "surprise"),
        (set_path("name", 5), "name"),
    ],
)
def test_a_header_out_of_range_is_refused_by_its_field(
    baked: Path, change: Callable[[dict[str, Any]], None], field: str
) -> None:
    change_header(baked, change)
    with pytest.raises(AvatarError, match=field):
        read_baked(baked)


@pytest.mark.parametrize(
    "change",
    [
        set_path("vertex_count", 65_535),
        set_path("index_count", 599_997),
        set_path("textures", 0, "width", 2048),
        set_path("textures", 0, "length", 2**30),
    ],
)
def test_a_huge_count_costs_no_memory(baked: Path, change: Callable[[dict[str, Any]], None]) -> None:
    change_header(baked, change)
    tracemalloc.start()
    with pytest.raises(AvatarError):
        read_baked(baked)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def overwrite(path: Path, at: int, content: bytes) -> None:
    data = bytearray(path.read_bytes())
    data[at : at + len(content)] = content
    path.write_bytes(data)


def test_an_index_beyond_the_vertices_is_refused(baked: Path) -> None:
    overwrite(baked, header_of(baked)["arrays"]["indices"], (4).to_bytes(2, "little"))
    with pytest.raises(AvatarError, match="indices: 4"):
        read_baked(baked)


@pytest.mark.parametrize("field", ["positions", "normals", "uvs", "head_weights"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -1e30])
def test_a_number_that_is_none_is_refused(baked: Path, field: str, value: float) -> None:
    overwrite(baked, header_of(baked)["arrays"][field], np.array(value, dtype="<f4").tobytes())
    with pytest.raises(AvatarError, match=field):
        read_baked(baked)


@pytest.mark.parametrize("vertices", [(3, 1), (1, 1), (1, 9)])
def test_target_vertices_must_ascend_inside_the_mesh(baked: Path, vertices: tuple[int, int]) -> None:
    overwrite(baked, header_of(baked)["targets"][0]["vertices"], np.array(vertices, dtype="<u2").tobytes())
    with pytest.raises(AvatarError, match=r"jawOpen.*vertices"):
        read_baked(baked)


def test_a_texture_that_does_not_inflate_is_refused(baked: Path) -> None:
    overwrite(baked, header_of(baked)["textures"][0]["offset"], b"\xff" * 16)
    with pytest.raises(AvatarError, match="textures"):
        read_baked(baked)


def test_a_mesh_that_breaks_its_own_promises_is_not_written(tetrahedron: Mesh, tmp_path: Path) -> None:
    broken = dataclasses.replace(tetrahedron, indices=tetrahedron.indices + np.uint16(4))
    path = tmp_path / "broken.mien-avatar"
    with pytest.raises(AvatarError, match="indices"):
        write_baked(broken, path)
    assert not path.exists()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8))
def test_any_damage_is_refused_or_harmless(baked: Path, flips: list[tuple[float, int]]) -> None:
    data = bytearray(baked.read_bytes())
    for at, value in flips:
        data[int(at * len(data))] = value
    damaged = baked.with_name("damaged.mien-avatar")
    damaged.write_bytes(data)
    try:
        mesh = read_baked(damaged)
    except AvatarError:
        return
    assert int(mesh.indices.max()) < len(mesh.positions)
    assert np.isfinite(mesh.positions).all()
