"""Submeshes: eyeballs split off, roles, specular."""

import numpy as np
import pytest

from avatar.surfaces import surface
from mien.avatar.bake.submesh import role_of, split_surface
from mien.avatar.gltf.materials import Material
from mien.core.mesh import TOON_GLOSS, material_key


def test_eyeballs_become_submeshes_and_what_lies_between_stays() -> None:
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


def test_two_tones_are_marked_by_their_gloss_and_have_no_highlight() -> None:
    material = Material(uv=np.eye(2, 3), unlit=True, toon=True)
    [submesh] = split_surface(surface(material=material), np.zeros(4, np.int8), turning=False)
    assert (submesh.specular, submesh.gloss) == (0.0, TOON_GLOSS)
