"""Submeshes: bones and eyes found, roles and specular, crops, array geometry."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from mien.avatar.bake.anatomy import Anatomy, eye_sides, faces_backward, find_anatomy, words
from mien.avatar.bake.bust import clip
from mien.avatar.bake.geometry import clustered, places, smooth_groups, unique_rows, vertex_normals
from mien.avatar.bake.submesh import role_of, split_surface
from mien.avatar.gltf.glb import Glb
from mien.avatar.gltf.materials import Material
from mien.avatar.gltf.scene import Surface
from mien.avatar.gltf.schema import Gltf
from mien.avatar.gltf.skin import Bones
from mien.core.mesh import material_key

NOBODY = Anatomy(head=-1, neck=-1, jaw=-1, eyes=(-1, -1), arms=())
SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)


def surface(
    name: str = "Head", positions: np.ndarray = SQUARE, tris: Any = ((0, 1, 2), (0, 2, 3)), **fields: Any
) -> Surface:
    count = len(positions)
    shared: dict[str, Any] = {
        "material": Material(uv=np.eye(2, 3)), "normals": None, "uvs": positions[:, :2].copy(), "colors": None,
        "bones": Bones(nodes=np.zeros((count, 1), np.int32), weights=np.ones((count, 1), np.float32)),
    }  # fmt: skip
    return Surface(name=name, positions=positions, tris=np.array(tris), **(shared | fields))


def opened(**fields: Any) -> Glb:
    return Glb(msgspec.convert({"asset": {"version": "2.0"}, **fields}, Gltf), b"", Path())


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("N00_FaceEyeline Wolf3D_Hair", ["n", "00", "face", "eyeline", "wolf", "3", "d", "hair"]),
        ("EyeLeft", ["eye", "left"]), ("HTMLHair", ["html", "hair"]), ("tshirt", ["tshirt"]), ("", []),
    ],
)  # fmt: skip
def test_a_name_is_read_word_by_word(name: str, told: list[str]) -> None:
    assert words(name) == told


def test_bones_are_found_by_name_and_a_joint_before_a_control() -> None:
    names = ["head", "mixamorig:Head", "Neck", "jaw_root", "eye.L", "Eye_R", "LeftArm", "RightUpperArm", "Headset"]
    glb = opened(nodes=[{"name": name} for name in names], skins=[{"joints": [1, 2]}])
    assert find_anatomy(glb) == Anatomy(head=1, neck=2, jaw=3, eyes=(4, 5), arms=(6, 7))
    assert find_anatomy(opened(nodes=[{"name": "head"}, {"name": "Head"}])).head == 0
    assert find_anatomy(opened(nodes=[{"name": "Head", "mesh": 0}])) == NOBODY


@pytest.mark.parametrize(
    "extensions",
    [
        {"VRMC_vrm": {"humanoid": {"humanBones": {"head": {"node": 1}, "jaw": {"node": 2}, "neck": {"node": 7},
                                                  "leftEye": {"node": True}}}}},
        {"VRM": {"humanoid": {"humanBones": [{"bone": "head", "node": 1}, {"bone": "jaw", "node": 2},
                                             {"bone": "neck", "node": -1}, {"bone": 5, "node": 0}]}}},
    ],
)  # fmt: skip
def test_a_humanoid_map_comes_before_names(extensions: dict[str, Any]) -> None:
    found = find_anatomy(opened(nodes=[{"name": "head"}, {"name": "a"}, {"name": "b"}], extensions=extensions))
    assert (found.head, found.jaw, found.neck, found.eyes) == (1, 2, -1, (-1, -1))


def test_only_the_older_vrm_faces_backward() -> None:
    assert faces_backward(opened(extensions={"VRM": {}}))
    assert not faces_backward(opened(extensions={"VRM": {}, "VRMC_vrm": {}}))
    assert not faces_backward(opened())


def test_eyes_are_known_by_their_joint_or_their_name() -> None:
    points = np.array([[0.03, 0, 0], [-0.03, 0, 0], [0.0, 0, 0]], np.float32)
    bones = Bones(
        nodes=np.array([[4, 0], [5, 0], [4, 0]], np.int32),
        weights=np.array([[0.51, 0.49], [1, 0], [0.5, 0.5]], np.float32),
    )
    skinned = surface("Body", points, ((0, 1, 2),), bones=bones)
    joints = Anatomy(head=-1, neck=-1, jaw=-1, eyes=(4, 5), arms=())
    assert eye_sides(skinned, joints, 0.0).tolist() == [1, -1, 0]
    assert eye_sides(surface("EyeBall", points, ((0, 1, 2),)), NOBODY, -0.01).tolist() == [1, -1, 1]
    for name in ("Body", "EyeLashes", "EyeGlasses"):
        assert not eye_sides(surface(name, points, ((0, 1, 2),)), NOBODY, 0.0).any()
    assert not eye_sides(surface("EyeBall", points, ((0, 1, 2),)), NOBODY, 0.0, by_name=False).any()


def test_eyeballs_become_pieces_of_their_own_and_what_lies_between_stays() -> None:
    own = surface("Face", np.zeros((6, 3), np.float32), ((0, 1, 1), (2, 3, 3), (4, 5, 5), (0, 2, 4)))
    sides = np.array([1, 1, -1, -1, 0, 0], np.int8)
    made = {submesh.side: submesh for submesh in split_surface(own, sides, turning=True)}
    assert {side: submesh.tris.tolist() for side, submesh in made.items()} == {
        0: [[4, 5, 5], [0, 2, 4]],
        1: [[0, 1, 1]],
        -1: [[2, 3, 3]],
    }
    assert (made[1].role, made[-1].role, made[0].role) == ("eye_left", "eye_right", "skin")
    assert (made[1].specular, made[1].gloss) == (0.8, 160.0)
    assert material_key(made[1]) == material_key(made[-1]) != material_key(made[0])
    [flat] = split_surface(own, sides, turning=False)
    assert (flat.role, len(flat.tris)) == ("other", 4)
    [whole] = split_surface(own, np.zeros(6, np.int8), turning=True)
    assert (whole.role, len(whole.tris)) == ("skin", 4)


@pytest.mark.parametrize(
    ("name", "moved", "role"),
    [
        ("Teeth", True, "mouth"),
        ("BrowHair", True, "other"),
        ("Hat", False, "other"),
        ("Hair", True, "hair"),
        ("Shirt", True, "cloth"),
        ("Body", False, "skin"),
        ("Thing", True, "skin"),
        ("Thing", False, "other"),
    ],
)
def test_a_role_is_in_the_name_or_in_what_the_shapes_move(name: str, moved: bool, role: str) -> None:
    assert role_of(name, moved) == role


@pytest.mark.parametrize(
    ("roughness", "unlit", "specular", "gloss"),
    [
        (0.7, False, 0.14, 4.0),
        (0.2, False, 0.35, 50.0),
        (1.0, False, 0.03, 4.0),
        (0.0, False, 0.35, 120.0),
        (0.2, True, 0.0, 50.0),
        (0.5, False, 0.23, 8.0),
    ],
)
def test_rough_materials_have_less_specular(roughness: float, unlit: bool, specular: float, gloss: float) -> None:
    material = Material(uv=np.eye(2, 3), roughness=roughness, unlit=unlit)
    [submesh] = split_surface(surface(material=material), np.zeros(4, np.int8), turning=False)
    assert (submesh.specular, submesh.gloss) == (pytest.approx(specular, abs=0.006), pytest.approx(gloss))


def test_a_plane_cuts_triangles_in_one_and_two_and_keeps_what_they_carry() -> None:
    targets = {"jawOpen": np.array([[0, 0, 1], [0, 0, 1], [0, 0, 3], [0, 0, 3]], np.float32)}
    kept = clip(surface(targets=targets), (0.0, 1.0, 0.0), 0.25)
    assert kept is not None
    assert kept.positions[:, 1].min() == pytest.approx(0.25)
    sides = kept.positions[kept.tris]
    doubled = np.cross(sides[:, 1] - sides[:, 0], sides[:, 2] - sides[:, 0])
    assert (doubled[:, 2] > 0).all()
    assert doubled[:, 2].sum() / 2 == pytest.approx(0.75)
    np.testing.assert_allclose(kept.uvs, kept.positions[:, :2], atol=1e-6)
    np.testing.assert_allclose(kept.targets["jawOpen"][:, 2], 1 + 2 * kept.positions[:, 1], atol=1e-6)
    assert len(kept.bones.nodes) == len(kept.positions)
    assert clip(surface(), (0.0, 1.0, 0.0), 1.5) is None
    assert clip(surface(), (0.0, 1.0, 0.0), 0.0) is not None
    whole = surface()
    assert clip(whole, (0.0, 1.0, 0.0), -0.1) is whole
    lower = clip(surface(), (0.0, -1.0, 0.0), -0.25)
    assert lower is not None
    assert lower.positions[:, 1].max() == pytest.approx(0.25)


def test_vertices_at_one_place_share_a_normal_unless_an_edge_is_meant() -> None:
    points = np.array([[0, 0, 0], [0, 0, 1e-6], [0, 0, 0], [0, 0, 1e-3]], np.float32)
    normals = np.array([[0, 0, 1], [0, 0.02, 1], [0, 1, 0], [0, 0, 1]], np.float32)
    groups = smooth_groups(points, normals)
    assert groups[0] == groups[1]
    assert len({groups[0], groups[2], groups[3]}) == 3
    assert len(set(places(points).tolist())) == 2


def test_normals_are_weighted_by_area_and_point_out() -> None:
    points = np.array([[0, 0, 0], [2, 0, 0], [0, 2, 0], [0, 0, 1]], np.float32)
    tris = np.array([[0, 1, 2], [0, 3, 1]])
    made = vertex_normals(points, tris, np.arange(4))
    np.testing.assert_allclose(made[2], [0, 0, 1], atol=1e-6)
    np.testing.assert_allclose(made[3], [0, 1, 0], atol=1e-6)
    np.testing.assert_allclose(made[0], np.array([0, 1, 2]) / np.sqrt(5), atol=1e-6)
    alone = vertex_normals(points, tris[:1], np.arange(4))
    np.testing.assert_array_equal(alone[3], [0, 0, 1])


def test_a_mesh_is_thinned_by_cubes_but_for_what_is_kept() -> None:
    points = np.array([[x / 10, y / 10, 0] for x in range(11) for y in range(11)], np.float32)
    at = np.arange(121).reshape(11, 11)
    tris = np.concatenate(
        [
            np.stack([at[:-1, :-1], at[1:, :-1], at[:-1, 1:]], -1).reshape(-1, 3),
            np.stack([at[1:, :-1], at[1:, 1:], at[:-1, 1:]], -1).reshape(-1, 3),
        ]
    )
    left, thin = clustered(points, tris, 0.25, np.zeros(121, bool))
    assert 9 <= len(left) <= 25
    assert thin.max() == len(left) - 1
    assert ((thin[:, 0] != thin[:, 1]) & (thin[:, 1] != thin[:, 2]) & (thin[:, 0] != thin[:, 2])).all()
    all_left, same = clustered(points, tris, 0.25, np.ones(121, bool))
    assert (len(all_left), len(same)) == (121, len(tris))


def test_equal_rows_are_told_once_and_minus_nothing_is_nothing() -> None:
    first, which = unique_rows([np.array([[1.0], [0.0], [1.0], [-0.0]], np.float32), np.zeros((4, 1), np.float32)])
    assert len(first) == 2
    assert which[0] == which[2] != which[1] == which[3]
