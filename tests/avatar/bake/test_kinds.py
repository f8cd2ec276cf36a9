"""Typical avatar files bake to a face: upright, cropped to a bust, arms lowered, with a gaze."""

import base64
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avatar import kinds
from avatar.glb_file import head
from mien.avatar.bake import assembly
from mien.avatar.bake.inspection import draw_calls, inspected
from mien.avatar.bake.names import arkit_name, match
from mien.avatar.bake.pipeline import Baked, bake
from mien.core.mesh import Mesh
from mien.core.pose import ARKIT_SHAPES
from mien.errors import AvatarError


@pytest.fixture(autouse=True)
def no_occlusion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(assembly, "openness", lambda positions, *_: np.ones(len(positions), dtype=np.float32))


def made(maker: kinds.Maker, tmp_path: Path, name: str = "head.glb") -> Baked:
    return bake(maker.save(tmp_path / name))


def lowest_lip(mesh: Mesh, shape: str) -> float:
    """The largest downward displacement of a shape."""
    return float(next(item for item in mesh.targets if item.name == shape).positions[:, 1].min())


def bounds(mesh: Mesh, role: str) -> tuple[np.ndarray, np.ndarray]:
    used = [mesh.indices[p.first_index : p.first_index + p.index_count] for p in mesh.parts if p.role == role]
    points = mesh.positions[np.concatenate(used)]
    return points.min(axis=0), points.max(axis=0)


@pytest.mark.parametrize("quantize", [False, True])
def test_a_full_body_in_a_t_pose_becomes_a_bust(tmp_path: Path, quantize: bool) -> None:
    baked = made(kinds.full_body(quantize=quantize, hair_alpha="MASK" if quantize else "BLEND", few=quantize), tmp_path)
    mesh = baked.mesh
    wanted = {"jawOpen", "mouthSmileLeft"} if quantize else {name for name in ARKIT_SHAPES if "Material" not in name}
    assert {item.name for item in mesh.targets} >= wanted
    low, high = mesh.positions.min(axis=0), mesh.positions.max(axis=0)
    assert high[0] - low[0] < 0.66, "arms stick out"
    assert 0.3 < high[1] - low[1] < 0.75
    np.testing.assert_allclose(mesh.eye_pivots[0], kinds.PLACES["LeftEye"], atol=2e-3)
    assert mesh.neck_pivot[1] == pytest.approx(1.45, abs=1e-3)
    assert lowest_lip(mesh, "jawOpen") < -0.008
    between = (mesh.head_weights > 0.5) & (mesh.head_weights < 0.99)
    assert between.any(), "the neck bends in one edge"
    assert draw_calls(mesh) <= 8
    assert any(part.masked for part in mesh.parts if part.role == "hair")
    assert not any(part.alpha for part in mesh.parts)
    assert all((side & (side - 1)) == 0 for texture in mesh.textures for side in texture.shape[:2])


@pytest.mark.parametrize("version", [0, 1])
def test_a_drawn_figure_faces_the_camera_and_looks_by_shapes(tmp_path: Path, version: int) -> None:
    baked = made(kinds.anime(version), tmp_path, "head.vrm")
    mesh, found = baked.mesh, inspected(baked)
    assert bounds(mesh, "mouth")[1][2] > 0.05, "it looks away"
    assert found.gaze == "shapes"
    assert found.substituted["jawOpen"] == ("Fcl_MTH_A",)
    assert found.made["mouthClose"] == "jawOpen"
    assert set(found.own) == {"eyeBlinkLeft", "eyeBlinkRight"}
    assert lowest_lip(mesh, "jawOpen") < -0.008
    out = next(item for item in mesh.targets if item.name == "eyeLookOutLeft")
    assert out.positions[:, 0].mean() > 0.001, "out is away from the nose: to +x for the left eye"
    assert (mesh.positions[out.vertices, 0] > 0).all()
    up = next(item for item in mesh.targets if item.name == "eyeLookUpRight")
    assert up.positions[:, 1].mean() > 0.001
    iris = next(part for part in mesh.parts if "Iris" in part.name)
    assert iris.masked
    assert iris.role == "other"
    assert draw_calls(mesh) <= 8


def test_a_head_alone_is_given_shoulders(tmp_path: Path) -> None:
    baked = made(kinds.head_alone(), tmp_path)
    assert "pullover" in baked.notes[0]
    low, high = bounds(baked.mesh, "cloth")
    assert high[0] - low[0] > 0.3
    assert (baked.mesh.head_weights[baked.mesh.positions[:, 1] < -0.25] == 0).all()


def test_the_two_halves_of_a_mirrored_node_agree(tmp_path: Path) -> None:
    """A mirrored head under a scale of -1 is the original head, with its faces outside."""
    plain = made(kinds.head_alone(), tmp_path).mesh
    maker = kinds.head_alone(scale=[-1.0, 1.0, 1.0])
    mirrored = made(maker, tmp_path).mesh
    np.testing.assert_allclose(mirrored.positions[:, 0].min(), -plain.positions[:, 0].max(), atol=1e-4)
    for mesh in (plain, mirrored):
        a, b, c = (mesh.positions[mesh.indices.reshape(-1, 3)[:, k]] for k in range(3))
        face = np.cross(b - a, c - a)
        agree = (face * mesh.normals[mesh.indices.reshape(-1, 3)[:, 0]]).sum(axis=1) > 0
        assert agree.mean() > 0.95


def test_uneven_scale_keeps_normals_upright(tmp_path: Path) -> None:
    mesh = made(kinds.head_alone(scale=[1.0, 1.3, 0.7]), tmp_path).mesh
    tris = mesh.indices.reshape(-1, 3)
    a, b, c = (mesh.positions[tris[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    area = np.linalg.norm(face, axis=1)
    cosine = (face * mesh.normals[tris[:, 0]]).sum(axis=1) / np.maximum(area, 1e-12)
    assert np.median(cosine[area > 1e-8]) > 0.97


def cc(name: str) -> str:
    """An ARKit name as written by Reallusion's Character Creator."""
    special = {
        "browInnerUp": "Brow_Raise_Inner_L",
        "eyeLookUpLeft": "Eye_L_Look_Up",
        "mouthLeft": "Mouth_L",
        "mouthUpperUpLeft": "Mouth_Up_Upper_L",
        "mouthLowerDownLeft": "Mouth_Down_Lower_L",
        "browOuterUpLeft": "Brow_Raise_Outer_L",
        "cheekSquintLeft": "Cheek_Raise_L",
        "browDownLeft": "Brow_Drop_L",
        "mouthFunnel": "Mouth_Funnel_Up_L",
        "mouthPucker": "Mouth_Pucker",
    }
    for left, other in list(special.items()):
        if "Left" in left and left != "mouthLeft":
            special[left.replace("Left", "Right")] = (
                f"{other[:-2]}_R" if other.endswith("_L") else other.replace("_L_", "_R_")
            )
    special |= {"eyeLookInLeft": "Eye_L_Look_R", "eyeLookInRight": "Eye_R_Look_L"}
    return special.get(name, name)


@pytest.mark.parametrize(
    "names",
    [
        str,
        cc,
        lambda name: name.replace("Left", "_L").replace("Right", "_R"),
        lambda name: f"head.{name[0].upper()}{name[1:]}",
        lambda name: f"blendShape2_{name}",
        lambda name: "".join(f"_{c.lower()}" if c.isupper() else c for c in name),
    ],
)
def test_names_in_many_spellings_are_the_same_shapes(names: Any) -> None:
    found = match([names(name) for name in ARKIT_SHAPES], {})
    assert found == {name: [(names(name), 1.0, 0)] for name in ARKIT_SHAPES}


@pytest.mark.parametrize(
    "name",
    ["cornerMouthLeft", "mouthPuckerOpen", "hat", "jawline", "upperJawLeft", "Smile", "eyeBlinkLeftover", "", "é"],
)
def test_other_names_are_no_shapes(name: str) -> None:
    assert arkit_name(name) is None


def test_an_avatar_of_many_materials_gets_an_atlas(tmp_path: Path) -> None:
    maker = kinds.full_body(few=True)
    points, uvs, tris = kinds.card(1)
    normals = np.tile([0, 0, 1.0], (4, 1))
    for number in range(8):
        paint = np.full((16, 32, 4), 255, dtype=np.uint8)
        paint[..., :3] = (200, 25 * number, 40)
        more = {"alphaMode": ("OPAQUE", "BLEND", "MASK")[number % 3], "doubleSided": number % 2 == 0}
        material = maker.material(f"Badge{number}", maker.texture(paint), pbr={"roughnessFactor": number / 8}, **more)
        at = points + kinds.LIFT + [0.02 * number - 0.1, -0.3, 0.1]
        maker.node(f"Badge{number}", [maker.primitive(at, normals, uvs, tris, {}, material, "Spine")], [])
    mesh = made(maker, tmp_path).mesh
    assert draw_calls(mesh) <= 8
    assert len(mesh.textures) == 1
    page = mesh.textures[0]
    part = next(part for part in mesh.parts if part.role in ("other", "cloth") and not part.alpha and not part.masked)
    assert part.texture == 0
    badge = np.nonzero((mesh.positions[:, 2] > 0.15) & (mesh.positions[:, 1] < 1.3))[0]
    at = np.floor(mesh.uvs[badge] * [page.shape[1], page.shape[0]]).astype(int)
    np.testing.assert_allclose(page[at[:, 1], at[:, 0], 0], 200, atol=12)


def test_a_figure_in_centimetres_is_brought_to_metres(tmp_path: Path) -> None:
    maker = kinds.head_alone(scale=[100.0] * 3)
    mesh = made(maker, tmp_path).mesh
    assert 0.2 < mesh.frame_height < 0.5
    assert lowest_lip(mesh, "jawOpen") > -0.05


def test_a_head_with_too_many_vertices_is_thinned_to_16_bits(tmp_path: Path) -> None:
    maker = kinds.head_alone()
    rng = np.random.default_rng(0)
    points = rng.normal(size=(30_000, 3))
    points = points / np.linalg.norm(points, axis=1, keepdims=True) * 0.11 + [0, 0.03, -0.02]
    corner = points.astype(np.float32)[:, None] + rng.normal(size=(30_000, 3, 3)).astype(np.float32) * 4e-4
    flat = corner.reshape(-1, 3)
    material = maker.material("Hair")
    entry = maker.primitive(flat, flat, flat[:, :2], np.arange(len(flat)).reshape(-1, 3), {}, material, "Head")
    entry["indices"] = maker.file.add(np.arange(len(flat)), "u4")
    maker.node("Hair_Cards", [entry], [])
    mesh = made(maker, tmp_path).mesh
    assert len(mesh.positions) <= 65_535
    assert int(mesh.indices.max()) < len(mesh.positions)
    face = bounds(mesh, "skin")
    assert face[1][1] - face[0][1] > 0.2


def as_gltf(tmp_path: Path, embed: bool) -> Path:
    file = kinds.head_alone().file
    file.json["scenes"] = [{"nodes": list(range(len(file.json["nodes"])))}]
    (tmp_path / "my head.bin").write_bytes(file.binary)
    uri = "my%20head.bin"
    if embed:
        uri = "data:application/octet-stream;base64," + base64.b64encode(file.binary).decode()
    file.json["buffers"] = [{"byteLength": len(file.binary), "uri": uri}]
    image = kinds.image(np.full((8, 8, 4), 200, dtype=np.uint8), "png")
    (tmp_path / "skin.png").write_bytes(image)
    file.json["images"][0] = {"uri": "skin.png"}
    path = tmp_path / "head.gltf"
    path.write_text(json.dumps(file.json))
    return path


@pytest.mark.parametrize("embed", [False, True])
def test_a_gltf_with_its_files_beside_it_is_read(tmp_path: Path, embed: bool) -> None:
    assert any(item.name == "jawOpen" for item in bake(as_gltf(tmp_path, embed)).mesh.targets)


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("../secret.bin", "outside"),
        ("%2e%2e/secret.bin", "outside"),
        ("/etc/hostname", "outside"),
        ("file:///etc/hostname", "same folder"),
        ("..\\secret.bin", "same folder"),
        ("http://example.com/a.bin", "same folder"),
        ("none.bin", "no such file"),
        (".", "no such file"),
        ("data:;base64,@@@", "base64"),
        ("a\0b", "same folder"),
    ],
)
def test_nothing_outside_the_folder_is_opened(tmp_path: Path, uri: str, says: str) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(1000))
    (tmp_path / "inner").mkdir()
    file = head()
    file.json["buffers"] = [{"byteLength": 10, "uri": uri}]
    path = tmp_path / "inner" / "head.gltf"
    path.write_text(json.dumps(file.json))
    with pytest.raises(AvatarError, match=says) as caught:
        bake(path)
    assert "buffers[0].uri" in str(caught.value)


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret.bin").write_bytes(bytes(1000))
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "head.bin").symlink_to(tmp_path / "secret.bin")
    file = head()
    file.json["buffers"] = [{"byteLength": 10, "uri": "head.bin"}]
    path = tmp_path / "inner" / "head.gltf"
    path.write_text(json.dumps(file.json))
    with pytest.raises(AvatarError, match="outside"):
        bake(path)


def test_a_jaw_bone_stands_in_for_the_shape(tmp_path: Path) -> None:
    from avatar.fuzz_glb import skinned

    file = skinned()
    file.json["extensions"] = {}
    file.json["meshes"][0]["extras"]["targetNames"] = ["browInnerUp", "blink"]
    baked = bake(file.save(tmp_path / "head.glb"))
    assert baked.made["jawOpen"] == "the jaw bone"
    jaw = next(item for item in baked.mesh.targets if item.name == "jawOpen")
    front = baked.mesh.positions[jaw.vertices, 2] > 0.08
    assert jaw.positions[front, 1].mean() < -0.001


def test_what_is_inspected_is_plain_data(tmp_path: Path) -> None:
    found = inspected(made(kinds.anime(1), tmp_path))
    assert json.loads(json.dumps(dataclasses.asdict(found)))["draw_calls"] <= 8
    assert any("rare in speech" in cost for cost in found.costs)


def test_a_shape_that_moves_nothing_is_missing_and_may_be_made(tmp_path: Path) -> None:
    file = head(("jawOpen", "mouthClose", "cheekPuff"))
    primitive = file.json["meshes"][0]["primitives"][0]
    still = file.add(np.zeros((225, 3)))
    primitive["targets"][1:] = [{"POSITION": still}, {"POSITION": still}]
    found = inspected(bake(file.save(tmp_path / "head.glb")))
    assert found.made["mouthClose"] == "jawOpen"
    assert "cheekPuff" in found.missing
    assert found.own == ("jawOpen",)
