"""The morpher's buffers against a plain sum."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.core.mesh import Mesh
from mien.core.pose import CHANNEL_COUNT, CHANNEL_INDEX, new_pose
from mien.render.morph import MIN_SHIFT_M, MIN_TIP, Morpher, join


def reference(mesh: Mesh, pose: np.ndarray) -> np.ndarray:
    """Position and normal of every vertex, in the mesh's own order, by the definition."""
    vertices = np.concatenate((mesh.positions, mesh.normals), axis=1).astype(np.float64)
    for target in mesh.targets:
        weight = float(pose[CHANNEL_INDEX[target.name]])
        vertices[target.vertices, :3] += weight * target.positions
        vertices[target.vertices, 3:] += weight * target.normals
    return vertices


def in_mesh_order(morpher: Morpher) -> np.ndarray:
    vertices = np.empty_like(morpher.vertices)
    vertices[morpher.order] = morpher.vertices
    return vertices


def assert_close(vertices: np.ndarray, expected: np.ndarray, left_out: int = 0) -> None:
    """left_out: how many targets may have been skipped as invisible."""
    np.testing.assert_allclose(vertices[:, :3], expected[:, :3], rtol=0, atol=1e-7 + left_out * MIN_SHIFT_M)
    np.testing.assert_allclose(vertices[:, 3:], expected[:, 3:], rtol=0, atol=1e-6 + left_out * MIN_TIP)


@settings(max_examples=30, deadline=None)
@given(poses=st.lists(st.lists(st.floats(0, 1), min_size=CHANNEL_COUNT, max_size=CHANNEL_COUNT), max_size=5))
def test_any_sequence_of_poses_gives_the_plain_sum(mesh: Mesh, poses: list[list[float]]) -> None:
    morpher = Morpher(mesh)
    for values in poses:
        pose = np.array(values, dtype=np.float32)
        morpher.update(pose)
        assert_close(in_mesh_order(morpher), reference(mesh, pose), left_out=len(mesh.targets))


@pytest.mark.parametrize(("left", "right"), [(0.5, 0.5), (0.9, 0.0), (0.0, 0.7), (0.8, 0.3), (0.2, 1.0)])
def test_left_and_right_of_a_shape_are_added_exactly_alike_or_not(mesh: Mesh, left: float, right: float) -> None:
    morpher, pose = Morpher(mesh), new_pose()
    pose[CHANNEL_INDEX["mouthSmileLeft"]], pose[CHANNEL_INDEX["mouthSmileRight"]] = left, right
    morpher.update(pose)
    assert_close(in_mesh_order(morpher), reference(mesh, pose))


def test_lips_are_closed_no_further_than_the_jaw_is_open(mesh: Mesh) -> None:
    close = replace(next(t for t in mesh.targets if t.name == "jawOpen"), name="mouthClose")
    morpher, pose = Morpher(replace(mesh, targets=(*mesh.targets, close))), new_pose()
    pose[CHANNEL_INDEX["jawOpen"]], pose[CHANNEL_INDEX["mouthClose"]] = 0.3, 0.9
    morpher.update(pose)
    as_drawn = morpher.vertices.copy()
    pose[CHANNEL_INDEX["mouthClose"]] = 0.3
    morpher.update(pose)
    np.testing.assert_array_equal(morpher.vertices, as_drawn)


def test_what_nobody_would_see_is_left_out(mesh: Mesh) -> None:
    morpher, pose = Morpher(mesh), new_pose()
    neutral = morpher.vertices.copy()
    pose[CHANNEL_INDEX["jawOpen"]] = 0.0005
    morpher.update(pose)
    np.testing.assert_array_equal(morpher.vertices, neutral)
    pose[CHANNEL_INDEX["jawOpen"]] = 0.005
    morpher.update(pose)
    assert (morpher.vertices != neutral).any()


def test_a_released_face_is_exactly_neutral_again(mesh: Mesh) -> None:
    morpher, pose = Morpher(mesh), new_pose()
    neutral = morpher.vertices.copy()
    for weight in np.linspace(0.1, 1, 50):
        pose[:] = weight
        morpher.update(pose)
    morpher.update(new_pose())
    np.testing.assert_array_equal(morpher.vertices, neutral)


def test_changed_rows_cover_every_difference(mesh: Mesh) -> None:
    morpher, random = Morpher(mesh), np.random.default_rng(5)
    for _ in range(40):
        before = morpher.vertices.copy()
        pose = (random.random(CHANNEL_COUNT) * (random.random(CHANNEL_COUNT) > 0.7)).astype(np.float32)
        first, last = morpher.update(pose)
        different = np.flatnonzero((before != morpher.vertices).any(axis=1))
        assert np.all((different >= first) & (different < last))


def test_nothing_changes_for_the_same_pose_or_for_channels_without_a_target(mesh: Mesh) -> None:
    morpher, pose = Morpher(mesh), new_pose()
    pose[CHANNEL_INDEX["jawOpen"]] = 0.5
    assert morpher.update(pose) != (0, 0)
    assert morpher.update(pose) == (0, 0)
    pose[CHANNEL_INDEX["headYaw"]] = 0.2
    pose[CHANNEL_INDEX["eyeLookUpLeft"]] = 0.2
    assert morpher.update(pose) == (0, 0)


def test_the_triangles_are_the_same_triangles(mesh: Mesh) -> None:
    morpher = Morpher(mesh)
    np.testing.assert_array_equal(morpher.order[morpher.indices], mesh.indices)


def test_vertices_that_never_move_come_last(mesh: Mesh) -> None:
    morpher = Morpher(mesh)
    moved = np.zeros(len(mesh.positions), dtype=bool)
    for target in mesh.targets:
        moved[target.vertices] = True
    assert moved[morpher.order[: morpher.moving]].all()
    assert not moved[morpher.order[morpher.moving :]].any()


def test_the_pose_is_not_kept(mesh: Mesh) -> None:
    morpher, pose = Morpher(mesh), new_pose()
    pose[CHANNEL_INDEX["jawOpen"]] = 0.5
    morpher.update(pose)
    expected = morpher.vertices.copy()
    pose[:] = 0.9
    np.testing.assert_array_equal(morpher.vertices, expected)


@pytest.mark.parametrize(
    ("one", "other", "both"), [((0, 0), (3, 5), (3, 5)), ((3, 5), (0, 0), (3, 5)), ((1, 4), (8, 9), (1, 9))]
)
def test_join(one: tuple[int, int], other: tuple[int, int], both: tuple[int, int]) -> None:
    assert join(one, other) == both
