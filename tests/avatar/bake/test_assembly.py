"""Assembly: limits of occlusion by role, eye pivots, joined parts."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from avatar.glb_file import GlbFile, ball, head
from mien.avatar.bake import assembly
from mien.avatar.bake.assembly import _eye_center
from mien.avatar.bake.pipeline import bake_glb
from mien.core.mesh import Mesh


def baked(file: GlbFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, light: float = 1.0) -> Mesh:
    """light: the openness of every vertex."""
    monkeypatch.setattr(assembly, "openness", lambda points, *_: np.full(len(points), light, dtype=np.float32))
    return bake_glb(file.save(tmp_path / "head.glb"))


def openness_of(mesh: Mesh, role: str) -> np.ndarray:
    vertices = np.concatenate([
        mesh.indices[part.first_index : part.first_index + part.index_count] for part in mesh.parts if part.role == role
    ])  # fmt: skip
    return np.unique(mesh.colors[vertices, 3])


def test_in_the_dark_eyes_and_lids_stay_lighter_than_skin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = baked(head(), tmp_path, monkeypatch, light=0.0)
    assert openness_of(mesh, "eye_left").tolist() == openness_of(mesh, "eye_right").tolist() == [round(255 * 0.6)]
    assert set(openness_of(mesh, "skin")) == {round(255 * 0.3), round(255 * 0.7)}
    lids = {int(vertex) for target in mesh.targets if target.name.startswith("eyeBlink") for vertex in target.vertices}
    skin = {int(vertex) for vertex in np.flatnonzero(mesh.colors[:, 3] == round(255 * 0.7))}
    assert skin == lids


def test_light_is_shown_as_its_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half the sky darkens little, in line with perception."""
    mesh = baked(head(), tmp_path, monkeypatch, light=0.64)
    assert set(np.unique(mesh.colors[:, 3])) == {round(255 * 0.8)}


def test_paint_with_its_own_shades_is_darkened_by_a_third(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = head()
    file.json["materials"] = [{"name": "Skin", "extensions": {"KHR_materials_unlit": {}}}]
    for mesh in file.json["meshes"]:
        mesh["primitives"][0]["material"] = 0
    mesh = baked(file, tmp_path, monkeypatch, light=0.0)
    painted = round(255 * np.sqrt(0.65))
    for role in ("skin", "eye_left", "eye_right"):
        assert openness_of(mesh, role).tolist() == [painted]


@pytest.mark.parametrize("part", [1.0, 0.4])
def test_an_eye_turns_about_the_middle_of_its_ball_even_where_only_its_front_is_there(part: float) -> None:
    points, _ = ball((0.03, 1.5, 0.1), 0.012, 31)
    seen = points[points[:, 2] >= np.quantile(points[:, 2], 1 - part)]
    np.testing.assert_allclose(_eye_center(seen, None), [0.03, 1.5, 0.1], atol=2e-4)


def test_a_flat_eye_turns_about_its_middle_and_a_bone_in_it_comes_first() -> None:
    card = np.array([[x, y, 0.0] for x in (0.0, 0.02) for y in (0.0, 0.01)])
    np.testing.assert_allclose(_eye_center(card, None), [0.01, 0.005, 0], atol=1e-9)
    near, far = np.array([0.011, 0.005, -0.008]), np.array([0.01, 0.005, -0.011])
    np.testing.assert_array_equal(_eye_center(card, near), near)
    np.testing.assert_allclose(_eye_center(card, far), [0.01, 0.005, 0], atol=1e-9)


def test_what_looks_alike_and_follows_each_other_is_drawn_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mesh = baked(head(), tmp_path, monkeypatch)
    ends = [(part.first_index, part.first_index + part.index_count) for part in mesh.parts]
    assert ends[0][0] == 0
    assert ends[-1][1] == len(mesh.indices)
    assert all(end == start for (_, end), (start, _) in pairwise(ends))
    for before, after in pairwise(mesh.parts):
        alike = [getattr(before, name) == getattr(after, name) for name in ("role", "texture", "alpha", "masked")]
        assert not all(alike)


def test_targets_hold_only_what_moves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mesh = baked(head(), tmp_path, monkeypatch)
    for target in mesh.targets:
        moves = np.abs(target.positions).max(axis=1) > assembly.LEAST_MOVE_M
        turns = np.abs(target.normals).max(axis=1) > assembly.LEAST_TURN
        assert (moves | turns).all()
        assert 0 < len(target.vertices) < len(mesh.positions)
