"""Anatomy: bones by name or humanoid map; eyes by joint or name."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from avatar.surfaces import surface
from mien.avatar.bake.anatomy import Anatomy, eye_sides, faces_backward, find_anatomy, words
from mien.avatar.gltf.glb import Glb
from mien.avatar.gltf.schema import Gltf
from mien.avatar.gltf.skin import Bones

NOBODY = Anatomy(head=-1, neck=-1, jaw=-1, eyes=(-1, -1), arms=())


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
