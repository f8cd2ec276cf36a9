"""Baking GLB or VRM files: what is read, how shapes are matched, how invalid files are refused."""

import dataclasses
import io
import json
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from avatar.glb_file import GlbFile, add_mesh, ball, head
from mien.avatar.bake import assembly, pipeline
from mien.avatar.bake.inspection import inspect
from mien.avatar.bake.pipeline import bake_glb
from mien.avatar.bake.tuning import Tuning
from mien.avatar.baked import read_baked, write_baked
from mien.core.mesh import Mesh
from mien.core.pose import ARKIT_SHAPES
from mien.errors import AvatarError

MAKEHUMAN = Path(__file__).resolve().parents[4] / "shared" / "avatars" / "makehuman-head.glb"


@pytest.fixture(autouse=True)
def no_occlusion(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip ambient occlusion, which takes a quarter of a second per head and is tested elsewhere."""
    monkeypatch.setattr(assembly, "openness", lambda positions, *_: np.ones(len(positions), dtype=np.float32))


def target(mesh: Mesh, name: str) -> np.ndarray:
    """Deltas of every vertex."""
    found = next(item for item in mesh.targets if item.name == name)
    dense = np.zeros_like(mesh.positions)
    dense[found.vertices] = found.positions
    return dense


def of_role(mesh: Mesh, role: str) -> np.ndarray:
    """A mask of the vertices in parts of a role."""
    chosen = np.zeros(len(mesh.positions), dtype=bool)
    for part in mesh.parts:
        if part.role == role:
            chosen[mesh.indices[part.first_index : part.first_index + part.index_count]] = True
    return chosen


# Made from the vertices above the eyeballs.
BROWS = {"browInnerUp", "browOuterUpLeft", "browOuterUpRight", "browDownLeft", "browDownRight"}


def bake(file: GlbFile, tmp_path: Path, name: str = "head.glb") -> Mesh:
    return pipeline.bake(file.save(tmp_path / name), Tuning(calibration=False)).mesh


def test_dense_and_sparse_targets_are_matched_by_their_names(tmp_path: Path) -> None:
    mesh = bake(head(), tmp_path)
    made = {"eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "mouthClose", *BROWS}
    assert {item.name for item in mesh.targets} - made == {"eyeBlinkLeft", "eyeBlinkRight", "jawOpen", "mouthSmileLeft"}
    assert target(mesh, "jawOpen")[:, 1].min() == pytest.approx(-0.020, abs=1e-6)
    assert target(mesh, "eyeBlinkLeft")[:, 1].min() == pytest.approx(-0.022, abs=1e-6)
    low = (mesh.positions[:, 1] < -0.03) & of_role(mesh, "skin")
    assert (target(mesh, "jawOpen")[low, 1] < 0).all()
    assert (target(mesh, "jawOpen")[~low, 1] == 0).all()


def test_eyeballs_become_parts_that_turn_about_their_middle(tmp_path: Path) -> None:
    mesh = bake(head(), tmp_path)
    assert {"eye_left", "eye_right"} <= {part.role for part in mesh.parts}
    np.testing.assert_allclose(mesh.eye_pivots, [[0.03, 0.03, 0.1], [-0.03, 0.03, 0.1]], atol=2e-3)


def test_a_baked_head_survives_the_file_format(tmp_path: Path) -> None:
    mesh = bake(head(), tmp_path)
    write_baked(mesh, tmp_path / "head.mien-avatar")
    np.testing.assert_array_equal(read_baked(tmp_path / "head.mien-avatar").positions, mesh.positions)


def test_node_transforms_move_the_mesh_and_its_targets(tmp_path: Path) -> None:
    plain, turned = head(), head()
    for node in turned.json["nodes"]:
        node["children"] = []
    turned.json["nodes"].append({"children": [0, 1, 2], "translation": [0, 1.5, 0], "rotation": [0, 1, 0, 0]})
    turned.json["scenes"] = [{"nodes": [3]}]
    straight, moved = bake(plain, tmp_path), bake(turned, tmp_path)
    assert moved.positions[:, 1].mean() == pytest.approx(straight.positions[:, 1].mean() + 1.5, abs=1e-4)
    np.testing.assert_allclose(target(moved, "jawOpen")[:, 1].min(), target(straight, "jawOpen")[:, 1].min(), atol=1e-6)


def test_quantized_positions_are_read(tmp_path: Path) -> None:
    file = head()
    points, _ = ball((0, 0, 0), 0.12, 15)
    shorts = np.zeros((len(points), 4))
    shorts[:, :3] = np.rint(points / 0.125 * 32767)
    view = file.view(shorts.astype("<i2").tobytes(), byteStride=8)
    file.json["meshes"][0]["primitives"][0]["attributes"]["POSITION"] = file.accessor(
        len(points), 3, "i2", bufferView=view, normalized=True
    )
    file.json["nodes"][0]["scale"] = [0.125] * 3
    mesh = bake(file, tmp_path)
    assert np.abs(mesh.positions[of_role(mesh, "skin")]).max() == pytest.approx(0.12, abs=1e-3)


def test_a_skinned_head_follows_its_bones(tmp_path: Path) -> None:
    file = head()
    count = file.json["accessors"][0]["count"]
    attributes = file.json["meshes"][0]["primitives"][0]["attributes"]
    joints, weights = np.zeros((count, 4)), np.zeros((count, 4))
    weights[:, 0] = 1
    attributes["JOINTS_0"], attributes["WEIGHTS_0"] = file.add(joints, "u1"), file.add(weights)
    file.json["nodes"] += [{"name": "Neck", "children": [4]}, {"name": "Head", "translation": [0, 0.5, 0]}]
    inverse = np.eye(4)
    file.json["skins"] = [{"joints": [4], "inverseBindMatrices": file.add(inverse.T.reshape(1, 16))}]
    file.json["nodes"][0]["skin"] = 0
    for eye in (1, 2):
        file.json["nodes"][eye]["translation"] = [0, 0.5, 0]
    mesh = bake(file, tmp_path)
    assert mesh.positions[:, 1].max() == pytest.approx(0.62, abs=2e-3)
    assert (mesh.head_weights[of_role(mesh, "skin")] == 1).all()
    assert (mesh.head_weights[of_role(mesh, "cloth")] == 0).all()
    assert mesh.neck_pivot[1] == pytest.approx(0.5, abs=1e-5)


def test_a_full_body_is_cut_below_the_shoulders(tmp_path: Path) -> None:
    file = head()
    points, tris = ball((0, -0.9, 0), 0.7, 21)
    add_mesh(file, "Body", points, tris, {})
    file.json["scenes"] = [{"nodes": [0, 1, 2, 3]}]
    mesh = bake(file, tmp_path)
    assert mesh.positions[:, 1].min() == pytest.approx(-0.47, abs=0.02)
    assert not of_role(mesh, "cloth").any()


def test_visemes_and_expressions_stand_in_for_missing_shapes(tmp_path: Path) -> None:
    mesh = bake(head(("viseme_aa", "viseme_O", "blink")), tmp_path)
    names = {item.name for item in mesh.targets}
    made = {"mouthClose", "mouthPucker", "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight"}
    assert names - made - BROWS == {"jawOpen", "mouthFunnel", "eyeBlinkLeft", "eyeBlinkRight"}
    left = target(mesh, "eyeBlinkLeft")[:, 1]
    assert (left[mesh.positions[:, 0] < -0.02] == 0).all()
    chin = of_role(mesh, "skin") & (mesh.positions[:, 1] < -0.031)
    assert (left[(mesh.positions[:, 0] > 0.02) & chin] < 0).all()


def test_vrm_1_expressions_are_read_through_their_binds(tmp_path: Path) -> None:
    file = head(("Fcl_A", "Fcl_O"))
    file.json["extensions"] = {
        "VRMC_vrm": {
            "humanoid": {"humanBones": {}},
            "expressions": {
                "preset": {
                    "aa": {"morphTargetBinds": [{"node": 0, "index": 0, "weight": 0.5}]},
                    "oh": {"morphTargetBinds": [{"node": 0, "index": 1, "weight": 1.0}]},
                }
            },
        }
    }
    mesh = bake(file, tmp_path)
    assert target(mesh, "jawOpen")[:, 1].min() == pytest.approx(-0.010, abs=1e-6)
    assert target(mesh, "mouthFunnel")[:, 1].min() == pytest.approx(-0.022, abs=1e-6)


def test_vrm_0_faces_the_other_way_and_counts_to_100(tmp_path: Path) -> None:
    file = head(("Fcl_A",))
    file.json["extensions"] = {
        "VRM": {
            "blendShapeMaster": {
                "blendShapeGroups": [
                    {"name": "A", "presetName": "a", "binds": [{"mesh": 0, "index": 0, "weight": 100}]}
                ]
            }
        }
    }
    mesh = bake(file, tmp_path)
    assert target(mesh, "jawOpen")[:, 1].min() == pytest.approx(-0.020, abs=1e-6)
    eye = next(part for part in mesh.parts if part.role == "eye_left")
    at = mesh.positions[mesh.indices[eye.first_index : eye.first_index + eye.index_count]]
    assert at[:, 2].mean() < 0
    assert at[:, 0].mean() > 0


def png(width: int, height: int, rows: bytes | None = None) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = b"".join(b"\0" + b"\xc8\x64\x32" * width for _ in range(height)) if rows is None else rows
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def with_image(data: bytes, mime: str = "image/png") -> GlbFile:
    file = head()
    file.json["accessors"][1]["bufferView"] = file.view(
        np.random.default_rng(0).random((225, 2)).astype("<f4").tobytes()
    )
    file.json["images"] = [{"bufferView": file.view(data), "mimeType": mime}]
    file.json["textures"] = [{"source": 0}]
    file.json["materials"] = [{"name": "Skin", "pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]
    file.json["meshes"][0]["primitives"][0]["material"] = 0
    return file


def test_a_texture_is_limited_to_2048(tmp_path: Path) -> None:
    mesh = bake(with_image(png(4096, 16)), tmp_path)
    assert mesh.textures[0].shape[1] == 2048
    np.testing.assert_array_equal(mesh.textures[0][0, 0], [200, 100, 50, 255])


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_images_in_common_formats_are_read(tmp_path: Path, suffix: str) -> None:
    import pygame

    surface, stream = pygame.Surface((32, 16)), io.BytesIO()
    surface.fill((180, 90, 60))
    pygame.image.save(surface, stream, f"image.{suffix}")
    mesh = bake(with_image(stream.getvalue()), tmp_path)
    assert mesh.textures[0].shape == (16, 32, 4)
    np.testing.assert_allclose(mesh.textures[0][8, 8, :3], [180, 90, 60], atol=4)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (png(60_000, 60_000, b""), "60000 x 60000"),
        (b"\xabKTX 20\xbb\r\n\x1a\n" + bytes(64), "KTX2"),
        (b"GIF89a" + bytes(64), "PNG, JPEG"),
        (png(64, 64)[:40], "images"),
        (b"\x89PNG\r\n\x1a\n", "images"),
        (b"\xff\xd8\xff\xe0\x00\x10", "images"),
    ],
)
def test_an_untrusted_image_is_refused(tmp_path: Path, data: bytes, says: str) -> None:
    with pytest.raises(AvatarError, match=says):
        bake(with_image(data), tmp_path)


def meshopt_vertices(rows: np.ndarray) -> bytes:
    """Encode bytes (N, stride) with literal groups only, the simplest valid stream."""
    out, last = bytearray([0xA0]), rows[0].astype(np.uint8)
    out_tail = bytes(max(32 - rows.shape[1], 0)) + rows[0].tobytes()
    block = min(256, (8192 // rows.shape[1]) & ~15)
    for start in range(0, len(rows), block):
        part = rows[start : start + block]
        for k in range(rows.shape[1]):
            delta = np.diff(part[:, k], prepend=last[k]).astype(np.int8).astype(np.int16)
            zigzag = ((delta << 1) ^ (delta >> 7)).astype(np.uint8)
            groups = -(-len(part) // 16)
            zigzag = np.pad(zigzag, (0, groups * 16 - len(part)))
            out += bytes(
                sum(3 << (2 * (g % 4)) for g in range(h * 4, min(h * 4 + 4, groups))) for h in range(-(-groups // 4))
            )
            out += zigzag.tobytes()
        last = part[-1]
    return bytes(out) + out_tail


def compress_positions(file: GlbFile, stream: bytes, count: int, change: dict[str, Any]) -> None:
    view = file.view(stream)
    entry = file.json["bufferViews"][view]
    entry["extensions"] = {
        "EXT_meshopt_compression": {
            "buffer": 0,
            "byteOffset": entry["byteOffset"],
            "byteLength": entry["byteLength"],
            "byteStride": 12,
            "count": count,
            "mode": "ATTRIBUTES",
            **change,
        }
    }
    file.json["meshes"][0]["primitives"][0]["attributes"]["POSITION"] = file.accessor(count, 3, "f4", bufferView=view)


def test_meshopt_attributes_are_read(tmp_path: Path) -> None:
    file = head()
    points, _ = ball((0, 0, 0), 0.12, 15)
    rows = points.astype("<f4").view(np.uint8).reshape(len(points), 12)
    compress_positions(file, meshopt_vertices(rows), len(points), {})
    np.testing.assert_allclose(
        np.sort(bake(file, tmp_path).positions, axis=0), np.sort(bake(head(), tmp_path).positions, axis=0), atol=1e-6
    )


def test_meshopt_triangles_are_read() -> None:
    """The stream of the triangles (0 1 2) (2 1 3) (4 6 5) (7 8 9): meshoptimizer's own test vector."""
    from mien.avatar.gltf.meshopt import decode

    stream = bytes([0xE1, 0xF0, 0x10, 0xFE, 0xFF, 0xF0, 0x0C, 0xFF, 0x02, 0x02, 0x02, 0x00])
    stream += bytes([0x76, 0x87, 0x56, 0x67, 0x78, 0xA9, 0x86, 0x65, 0x89, 0x68, 0x98, 0x01, 0x69, 0x00, 0x00])
    decoded = decode(np.frombuffer(stream, np.uint8), "TRIANGLES", "NONE", 12, 2).view("<u2")
    np.testing.assert_array_equal(decoded, [0, 1, 2, 2, 1, 3, 4, 6, 5, 7, 8, 9])


def positions_stream() -> bytes:
    """The head's positions as a valid stream, so that only the damage can be refused."""
    points, _ = ball((0, 0, 0), 0.12, 15)
    return meshopt_vertices(points.astype("<f4").view(np.uint8).reshape(len(points), 12))


@pytest.mark.parametrize(
    ("damage", "change", "says"),
    [
        (lambda whole: whole[:0], {}, r"ATTRIBUTES stream is damaged \(index out of range"),
        (lambda whole: whole[:1], {}, r"ATTRIBUTES stream is damaged \(index out of range"),
        (lambda whole: b"\xa1" + whole[1:], {}, "header 0xa1; only version 0"),
        (lambda whole: whole[:400], {}, "the data ends inside a group"),
        (lambda whole: whole, {"mode": "LEVELS"}, "mode 'LEVELS' is unknown"),
        (lambda whole: whole, {"mode": "TRIANGLES"}, "header 0xa0, 225 indices"),
        (lambda whole: b"\xe1" + whole[1:], {"mode": "TRIANGLES", "count": 224}, "header 0xe1, 224 indices"),
        (lambda whole: whole, {"mode": "INDICES"}, "header 0xa0"),
        (lambda whole: b"\xd1" + bytes(40) + whole[:0], {"mode": "INDICES"},
         r"INDICES stream is damaged \(index out of range"),
        (lambda whole: b"\xd1" + bytes(400) + whole[:0], {"mode": "INDICES"}, r"INDICES stream is damaged \(12\)"),
        (lambda whole: whole, {"filter": "X"}, "filter 'X' is not allowed for ATTRIBUTES"),
        (lambda whole: whole, {"byteStride": 7}, r"damaged \(stride 7\)"),
        (lambda whole: whole, {"byteStride": 0}, "225 elements of 0 bytes; at most"),
        (lambda whole: whole, {"byteStride": 260}, "225 elements of 260 bytes; at most"),
        (lambda whole: whole, {"count": 10**12}, "1000000000000 elements of 12 bytes; at most"),
        (lambda whole: whole, {"count": -1}, "-1 elements of 12 bytes; at most"),
        (lambda whole: whole, {"count": 224}, r"accessors\[13\]: 225 elements of 12 bytes, .* with 2688"),
        (lambda whole: whole, {"count": "many"}, "Expected `int`, got `str` - at `\\$.count`"),
        (lambda whole: whole, {"byteOffset": -4}, r"bytes -4 to \d+ of buffers\[0\]"),
        (lambda whole: whole, {"byteLength": -1}, r"bytes (\d+) to \d+ of buffers\[0\]"),
        (lambda whole: whole, {"byteLength": 10**7}, r"bytes \d+ to \d{8} of buffers\[0\]"),
        (lambda whole: whole, {"buffer": 3}, r"buffers\[3\]: there are 1"),
    ],
)  # fmt: skip
def test_a_damaged_meshopt_stream_is_refused_for_its_damage(
    tmp_path: Path, damage: Callable[[bytes], bytes], change: dict[str, Any], says: str
) -> None:
    file = head()
    compress_positions(file, damage(positions_stream()), 225, change)
    with pytest.raises(AvatarError, match=says):
        bake(file, tmp_path)


def poke(*path: Any) -> Callable[[GlbFile], None]:
    """poke("nodes", 0, "mesh", 7): json["nodes"][0]["mesh"] = 7."""
    *keys, last, value = path

    def change(file: GlbFile) -> None:
        node: Any = file.json
        for key in keys:
            node = node[key]
        node[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (poke("asset", "version", "1.0"), "asset.version: 1.0; only 2.0"),
        (poke("extensionsRequired", ["KHR_draco_mesh_compression"]), "Draco is not supported; export"),
        (poke("extensionsRequired", ["KHR_texture_basisu"]), "KTX2"),
        (poke("extensionsRequired", ["ACME_faces"]), "extensionsRequired: ACME_faces is not supported"),
        (poke("nodes", 0, "mesh", 99), r"meshes\[99\]: there are 3"),
        (poke("nodes", 0, "children", [0]), r"nodes\[0\]: has two parents"),
        (poke("nodes", 0, "children", [99]), r"nodes\[0\].children: 99 with 3"),
        (poke("nodes", 0, "matrix", [1.0] * 9), r"nodes\[0\].matrix: 9 numbers"),
        (poke("nodes", 0, "scale", [1e30, 1, 1]), r"nodes\[0\]: its transform holds"),
        (poke("accessors", 0, "count", 10**9), r"accessors\[0\]: 1000000000 elements of 12 bytes; at most"),
        (poke("accessors", 0, "count", -1), r"accessors\[0\]: -1 elements of 12 bytes; at most"),
        (poke("accessors", 0, "count", 1000), r"accessors\[0\]: 1000 elements of 12 bytes, 12 apart from byte 0"),
        (poke("accessors", 0, "componentType", 1), "componentType: 1 is unknown"),
        (poke("accessors", 0, "type", "VEC4"), "type: VEC4, expected 3"),
        (poke("accessors", 0, "byteOffset", -12), r"accessors\[0\]: .* 12 apart from byte -12"),
        (poke("accessors", 0, "bufferView", 99), r"bufferViews\[99\]: there are"),
        (poke("bufferViews", 0, "byteLength", 10**12), r"bufferViews\[0\]: bytes 0 to 1000000000000"),
        (poke("bufferViews", 0, "byteStride", 1), r"accessors\[0\]: 225 elements of 12 bytes, 1 apart"),
        (poke("bufferViews", 0, "buffer", 1), r"buffers\[1\]: there are 1"),
        (poke("meshes", 0, "primitives", 0, "indices", 0), r"accessors\[0\]: expected 1 integers"),
        (poke("meshes", 0, "primitives", 0, "attributes", {}), "attributes: no POSITION"),
        (poke("meshes", 0, "primitives", 0, "material", 5), r"materials\[5\]: there are 0"),
        (poke("meshes", 0, "extras", {}), r"no morph target is .*there are 4"),
        (poke("meshes", []), r"meshes\[0\]: there are 0"),
        (poke("nodes", []), r"scenes\[0\].nodes: 2 with 0"),
        (poke("scenes", 0, "nodes", []), r"no morph target is .*there are 0"),
        (poke("nodes", "none"), r"the JSON is not glTF 2.0: .*nodes"),
    ],
)
def test_a_broken_file_is_refused_with_its_place(tmp_path: Path, change: Callable[[GlbFile], None], says: str) -> None:
    file = head()
    change(file)
    tracemalloc.start()
    with pytest.raises(AvatarError, match=says) as caught:
        bake(file, tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "head.glb" in str(caught.value)
    assert peak < 32 * 2**20


def test_cyclic_nodes_are_refused(tmp_path: Path) -> None:
    file = head()
    file.json["nodes"] += [{"children": [4]}, {"children": [3]}]
    with pytest.raises(AvatarError, match="cycle"):
        bake(file, tmp_path)


def test_indices_out_of_range_are_refused(tmp_path: Path) -> None:
    file = head()
    view = file.json["bufferViews"][file.json["accessors"][2]["bufferView"]]
    file.binary[view["byteOffset"] : view["byteOffset"] + 2] = b"\xff\xff"
    with pytest.raises(AvatarError, match="indices: 65535"):
        bake(file, tmp_path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_none_are_refused(tmp_path: Path, value: float) -> None:
    file = head()
    file.binary[0:4] = struct.pack("<f", value)
    with pytest.raises(AvatarError, match="NaN"):
        bake(file, tmp_path)


@pytest.mark.parametrize("kept", [0, 3, 11, 19, 200, -1000, -4])
def test_a_truncated_file_is_refused_by_the_bake(tmp_path: Path, kept: int) -> None:
    path = head().save(tmp_path / "head.glb")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(AvatarError, match=r"head\.glb"):
        bake_glb(path)


def test_inspect_tells_what_is_there_and_what_is_missing(tmp_path: Path) -> None:
    report = inspect(head(("jawOpen", "blink", "wink_of_doom")).save(tmp_path / "head.glb"))
    assert report.own == ("jawOpen",)
    assert report.substituted == {"eyeBlinkLeft": ("blink",), "eyeBlinkRight": ("blink",)}
    assert report.made["mouthClose"] == "jawOpen"
    gone = {"jawOpen", *report.substituted, *report.made, *(name for name in ARKIT_SHAPES if "Look" in name)}
    assert set(report.missing) == set(ARKIT_SHAPES) - gone
    assert any("no smile" in cost for cost in report.costs)
    assert report.unused == ("wink_of_doom",)
    assert report.gaze == "eyeballs"
    assert "pullover" in report.notes[0]
    assert json.dumps(dataclasses.asdict(report))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=6))
def test_damage_anywhere_is_refused_or_harmless(tmp_path: Path, flips: list[tuple[float, int]]) -> None:
    path = with_image(png(8, 8)).save(tmp_path / "head.glb")
    data = bytearray(path.read_bytes())
    for at, value in flips:
        data[int(at * len(data))] = value
    path.write_bytes(data)
    try:
        mesh = bake_glb(path)
    except AvatarError:
        return
    assert np.isfinite(mesh.positions).all()


@pytest.mark.skipif(not MAKEHUMAN.is_file(), reason="the MakeHuman test head lies beside the repository, not in it")
def test_the_makehuman_head_is_baked_whole(tmp_path: Path) -> None:
    mesh = bake_glb(MAKEHUMAN)
    assert {item.name for item in mesh.targets} == set(ARKIT_SHAPES)
    assert {"eye_left", "eye_right", "skin", "mouth", "other", "cloth"} == {part.role for part in mesh.parts}
    np.testing.assert_allclose(mesh.eye_pivots[0], mesh.eye_pivots[1] * [-1, 1, 1], atol=1e-3)
    chin = mesh.positions[:, 1] < -0.05
    assert target(mesh, "jawOpen")[chin, 1].min() < -0.01
    write_baked(mesh, tmp_path / "makehuman.mien-avatar")
    assert len(read_baked(tmp_path / "makehuman.mien-avatar").targets) == len(ARKIT_SHAPES)
