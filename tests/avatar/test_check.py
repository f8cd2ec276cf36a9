"""Mesh validation at each limit: the last valid value passes, the next is refused by its field."""

import dataclasses
from typing import Any

import numpy as np
import pytest

from mien.avatar.check import MAX_EXTENT_M, check_mesh
from mien.core.mesh import Mesh, MorphTarget, Part
from mien.errors import AvatarError

PART = Part(name="skin", first_index=0, index_count=12)


def filled(like: np.ndarray, value: float) -> np.ndarray:
    return np.full_like(like, value)


def refused(mesh: Mesh, says: str, **changes: Any) -> None:
    with pytest.raises(AvatarError, match=says):
        check_mesh(dataclasses.replace(mesh, **changes))


def passes(mesh: Mesh, **changes: Any) -> None:
    check_mesh(dataclasses.replace(mesh, **changes))


@pytest.mark.parametrize("field", ["positions", "normals", "uvs", "neck_pivot", "eye_pivots", "frame_center"])
def test_every_number_is_finite_and_within_a_hundred_metres(tetrahedron: Mesh, field: str) -> None:
    own = getattr(tetrahedron, field)
    for value in (MAX_EXTENT_M, -MAX_EXTENT_M):
        passes(tetrahedron, **{field: filled(own, value)})
    for value in (MAX_EXTENT_M * 1.001, -MAX_EXTENT_M * 1.001, np.nan, np.inf, -np.inf):
        one = own.copy()
        one.flat[-1] = value
        refused(tetrahedron, f"{field}: not every value is finite and within 100", **{field: one})
    assert MAX_EXTENT_M == 100.0


def test_weights_are_shares(tetrahedron: Mesh) -> None:
    passes(tetrahedron, head_weights=np.ones(4, np.float32))
    refused(
        tetrahedron,
        "head_weights: not every value is finite and within 1$",
        head_weights=np.full(4, 1.001, np.float32),
    )


@pytest.mark.parametrize(
    "field", ["positions", "normals", "uvs", "head_weights", "neck_pivot", "eye_pivots", "frame_center", "colors"]
)
def test_every_array_has_its_shape(tetrahedron: Mesh, field: str) -> None:
    own = getattr(tetrahedron, field)
    for wrong in (own[:-1], own.reshape(-1)[None], own[..., None]):
        refused(tetrahedron, "shape", **{field: wrong})


@pytest.mark.parametrize(
    ("height", "good"),
    [(1e-6, True), (100.0, True), (0.0, False), (-1.0, False), (100.1, False), (float("nan"), False)],
)
def test_a_camera_shows_something(tetrahedron: Mesh, height: float, good: bool) -> None:
    if good:
        passes(tetrahedron, frame_height=height)
    else:
        refused(tetrahedron, "frame_height", frame_height=height)


def test_indices_are_whole_triangles_of_vertices_that_are_there(tetrahedron: Mesh) -> None:
    part = (dataclasses.replace(PART, index_count=3),)
    passes(tetrahedron, indices=np.array([1, 2, 3], np.uint16), parts=part)
    passes(tetrahedron, indices=np.zeros(0, np.uint16), parts=())
    refused(
        tetrahedron, "indices: 4 is out of range for 4 vertices", indices=np.array([0, 1, 4], np.uint16), parts=part
    )
    refused(tetrahedron, "indices: 4 are not a multiple of 3", indices=np.zeros(4, np.uint16), parts=part)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"role": "nose"}, r"parts\[0\] \(skin\).role: 'nose'"),
        ({"first_index": -3}, "12 from -3 of 12"),
        ({"index_count": -3}, "-3 from 0 of 12"),
        ({"first_index": 3}, "12 from 3 of 12"),
        ({"first_index": 1, "index_count": 3}, "not a multiple of 3"),
        ({"index_count": 4}, "not a multiple of 3"),
        ({"texture": 1}, "texture: 1 with 1"),
        ({"texture": -2}, "texture: -2 with 1"),
        ({"specular": 1.01}, "specular 1.01"),
        ({"specular": -0.01}, "specular -0.01"),
        ({"gloss": 0.0}, "gloss 0.0"),
        ({"gloss": 1000.5}, "gloss 1000.5"),
    ],
)
def test_a_part_out_of_range_is_refused(tetrahedron: Mesh, changes: dict[str, Any], says: str) -> None:
    refused(tetrahedron, says, parts=(dataclasses.replace(PART, **changes),))


@pytest.mark.parametrize(
    "changes",
    [{"first_index": 9, "index_count": 3}, {"index_count": 0}, {"first_index": 12, "index_count": 0}, {"texture": 0},
     {"texture": -1}, {"specular": 1.0}, {"specular": 0.0}, {"gloss": 1000.0}, {"gloss": 0.1}],
)  # fmt: skip
def test_a_part_at_the_end_of_its_ranges_passes(tetrahedron: Mesh, changes: dict[str, Any]) -> None:
    passes(tetrahedron, parts=(dataclasses.replace(PART, **changes),))


def jaw(vertices: list[int], *, name: str = "jawOpen", position: float = 0.0, normal: float = 0.0) -> MorphTarget:
    count = len(vertices)
    return MorphTarget(
        name=name,
        vertices=np.array(vertices, np.uint16),
        positions=np.full((count, 3), position, np.float32),
        normals=np.full((count, 3), normal, np.float32),
    )


def test_targets_move_vertices_that_are_there_each_once_in_order(tetrahedron: Mesh) -> None:
    for vertices in ([], [3], [0, 1, 2, 3], [0, 3]):
        passes(tetrahedron, targets=(jaw(vertices),))
    refused(tetrahedron, r"targets \(jawOpen\).vertices: 4 is out of range for 4 vertices", targets=(jaw([4]),))
    for vertices in ([1, 1], [3, 1], [0, 2, 2], [0, 2, 1]):
        refused(tetrahedron, "vertices: not ascending", targets=(jaw(vertices),))


def test_targets_are_of_known_names_and_each_there_once(tetrahedron: Mesh) -> None:
    passes(tetrahedron, targets=(jaw([1]), jaw([1], name="breath"), jaw([1], name="tongueOut")))
    refused(tetrahedron, "targets: a name occurs twice", targets=(jaw([1]), jaw([2])))
    refused(tetrahedron, r"targets \(headYaw\): not the name of an ARKit shape", targets=(jaw([1], name="headYaw"),))


def test_deltas_are_numbers_for_each_vertex(tetrahedron: Mesh) -> None:
    refused(tetrahedron, r"targets \(jawOpen\).positions: not every", targets=(jaw([1], position=101),))
    refused(tetrahedron, r"targets \(jawOpen\).normals: not every", targets=(jaw([1], normal=float("nan")),))
    short = dataclasses.replace(jaw([1, 2]), normals=np.zeros((1, 3), np.float32))
    refused(tetrahedron, r"normals: shape \(1, 3\), expected \(2, 3\)", targets=(short,))


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("frame_width", (0.0, 0.3, 100.0), (-0.001, 100.001, float("nan"))),
        ("eye_range", (0.0, 0.5, 1.0), (-0.001, 1.001, float("nan"))),
    ],
)
def test_what_a_camera_must_show_and_eyes_may_turn_is_in_range(
    tetrahedron: Mesh, field: str, good: tuple[float, ...], bad: tuple[float, ...]
) -> None:
    for value in good:
        passes(tetrahedron, **{field: value})
    for value in bad:
        refused(tetrahedron, field, **{field: value})


def test_a_background_is_two_colours(tetrahedron: Mesh) -> None:
    passes(tetrahedron, background=None)
    passes(tetrahedron, background=((0.0, 0.5, 1.0), (1.0, 0.0, 0.25)))
    for value in (-0.001, 1.001, float("nan")):
        refused(tetrahedron, "background", background=((0.0, 0.5, 1.0), (1.0, 0.0, value)))
        refused(tetrahedron, "background", background=((value, 0.5, 1.0), (1.0, 0.0, 0.5)))
