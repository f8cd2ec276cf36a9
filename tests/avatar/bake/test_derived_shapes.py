"""Derived shapes: their sources, the direction of gaze; existing shapes are kept."""

import math

import numpy as np
import pytest

from mien.avatar.bake import derived_shapes
from mien.avatar.bake.figure import Figure
from mien.avatar.bake.names import Matches
from mien.avatar.gltf.materials import Material
from mien.avatar.gltf.scene import Surface
from mien.avatar.gltf.skin import Bones

FIGURE = Figure(chin=-0.1, crown=0.1, middle=(0.0, 0.0))


def surface(positions: np.ndarray, *, nodes: list[int] | None = None, weights: list[float] | None = None) -> Surface:
    """Points, each moved by one node."""
    count = len(positions)
    return Surface(
        name="eyes",
        material=Material(uv=np.eye(2, 3)),
        positions=np.asarray(positions, dtype=np.float32),
        normals=None,
        uvs=np.zeros((count, 2), np.float32),
        colors=None,
        tris=np.zeros((0, 3), np.int64),
        bones=Bones(
            nodes=np.array(nodes or [0] * count, np.int32)[:, None],
            weights=np.array(weights or [1.0] * count, np.float32)[:, None],
        ),
    )


def test_what_a_file_has_is_not_replaced_and_what_nothing_stands_for_is_not_made() -> None:
    own: Matches = {"jawOpen": [("jaw", 1.0, 0)], "mouthClose": [("close", 1.0, 0)]}
    assert derived_shapes.add_derived(own) == {}
    assert own == {"jawOpen": [("jaw", 1.0, 0)], "mouthClose": [("close", 1.0, 0)]}


def test_gaps_are_filled_from_neighbours_with_their_sides() -> None:
    matches: Matches = {
        "jawOpen": [("jaw", 0.5, 0)],
        "eyeBlinkLeft": [("shut", 1.0, 1), ("low", 0.5, 1)],
        "mouthPucker": [("kiss", 1.0, 0)],
    }
    assert derived_shapes.add_derived(matches) == {
        "mouthClose": "jawOpen",
        "eyeSquintLeft": "eyeBlinkLeft",
        "eyeWideLeft": "eyeBlinkLeft",
        "mouthFunnel": "mouthPucker",
    }
    assert matches["mouthClose"] == [("jaw", -0.5, 0)]
    assert matches["eyeSquintLeft"] == [("shut", pytest.approx(0.3), 1), ("low", pytest.approx(0.15), 1)]
    assert matches["eyeWideLeft"] == [("shut", pytest.approx(-0.12), 1), ("low", pytest.approx(-0.06), 1)]
    assert matches["mouthFunnel"] == [("kiss", pytest.approx(0.7), 0)]
    assert "eyeSquintRight" not in matches


def test_a_jaw_bone_turns_what_hangs_on_it_down_and_back() -> None:
    chin = surface([[0, -0.1, 0.1], [0, -0.1, 0.1], [0, 0.1, 0.1]], nodes=[1, 1, 0], weights=[1.0, 0.5, 1.0])
    matches: Matches = {}
    assert derived_shapes.add_jaw([chin], matches, np.array([False, True]), np.array([0.0, 0.0, 0.0]))
    assert matches == {"jawOpen": [("(jaw bone)", 1.0, 0)]}
    moved = chin.targets["(jaw bone)"]
    assert moved[0, 1] == pytest.approx(-0.1 * math.sin(math.radians(20)) - 0.1 * (math.cos(math.radians(20)) - 1))
    assert moved[0, 2] < 0
    np.testing.assert_allclose(moved[1], moved[0] / 2, rtol=1e-5)
    np.testing.assert_array_equal(moved[2], 0)


def test_a_jaw_bone_that_moves_next_to_nothing_makes_no_jaw() -> None:
    chin = surface([[0, -0.1, 0.1]], nodes=[1], weights=[0.04])
    matches: Matches = {}
    assert not derived_shapes.add_jaw([chin], matches, np.array([False, True]), np.zeros(3))
    assert (matches, chin.targets) == ({}, {})


def eyes() -> tuple[Surface, np.ndarray]:
    """Two flat eyes of four points 60 mm apart, at z = 0.1, and a point that belongs to neither."""
    card = np.array([[0.01, 0, 0], [-0.01, 0, 0], [0, 0.01, 0], [0, -0.01, 0]])
    left, right = np.array([0.03, 0, 0.1]), np.array([-0.03, 0, 0.1])
    points = np.concatenate([card + left, card + right, [[0, 0.2, 0]]])
    return surface(points), np.array([1] * 4 + [-1] * 4 + [0], dtype=np.int8)


@pytest.mark.parametrize(("label", "own", "out"), [("Left", slice(0, 4), 1), ("Right", slice(4, 8), -1)])
def test_flat_eyes_turn_the_way_that_the_shape_says(label: str, own: slice, out: int) -> None:
    """The pivot is behind the eyes, so that the visible part moves in the direction of gaze."""
    head, sides = eyes()
    matches: Matches = {}
    made = derived_shapes.add_gaze([head], [sides], matches, (None, None), FIGURE)
    assert made == [f"eyeLook{way}{side}" for side in ("Left", "Right") for way in ("Up", "Down", "Out", "In")]
    arm = 0.12 * FIGURE.head
    for way, axis, sign, angle in (("Up", 1, 1, 8), ("Down", 1, -1, 8), ("Out", 0, out, 10), ("In", 0, -out, 10)):
        shape = f"eyeLook{way}{label}"
        assert matches[shape] == [(f"(gaze) {shape}", 1.0, 0)]
        moved = head.targets[f"(gaze) {shape}"]
        middle = moved[own].mean(axis=0)
        assert middle[axis] == pytest.approx(sign * arm * math.sin(math.radians(angle)), rel=1e-4)
        assert middle[2] < 0
        other = np.delete(moved, np.arange(9)[own], axis=0)
        np.testing.assert_array_equal(other, 0)


def test_an_eyes_bone_is_what_it_turns_about() -> None:
    head, sides = eyes()
    derived_shapes.add_gaze([head], [sides], {}, (np.array([0.03, 0, 0.05]), None), FIGURE)
    left, right = (
        head.targets[f"(gaze) eyeLookUp{side}"][own].mean(axis=0)[1]
        for side, own in (("Left", slice(0, 4)), ("Right", slice(4, 8)))
    )
    assert left == pytest.approx(0.05 * math.sin(math.radians(8)), rel=1e-4)
    assert right == pytest.approx(0.024 * math.sin(math.radians(8)), rel=1e-4)


def test_eyes_that_a_file_moves_itself_are_left_to_it() -> None:
    head, sides = eyes()
    head.targets["mine"] = np.full((9, 3), 0.001, np.float32)
    head.targets["still"] = np.zeros((9, 3), np.float32)
    matches: Matches = {
        "eyeLookUpLeft": [("mine", 1.0, 0)],
        "eyeLookUpRight": [("still", 1.0, 0)],
        "eyeLookDownLeft": [("elsewhere", 1.0, 0)],
    }
    made = derived_shapes.add_gaze([head], [sides], matches, (None, None), FIGURE)
    assert "eyeLookUpLeft" not in made
    assert matches["eyeLookUpLeft"] == [("mine", 1.0, 0)]
    assert matches["eyeLookUpRight"] == [("still", 1.0, 0), ("(gaze) eyeLookUpRight", 1.0, 0)]
    assert {"eyeLookUpRight", "eyeLookDownLeft"} <= set(made)


def test_a_head_with_one_eye_turns_that_one() -> None:
    head, sides = eyes()
    sides[sides == 1] = 0
    made = derived_shapes.add_gaze([head], [sides], {}, (None, None), FIGURE)
    assert [shape[-5:] for shape in made] == ["Right"] * 4


@pytest.mark.parametrize(("depth", "ball"), [(1.0, True), (0.39, True), (0.37, False), (0.0, False)])
def test_an_eye_is_a_ball_where_it_is_deep_enough_for_its_width(depth: float, ball: bool) -> None:
    corners = np.array([[x, y, z] for x in (0, 0.02) for y in (0, 0.01) for z in (0, 0.02 * depth)])
    round_eye = np.array([[x, y, z] for x in (0, 0.02) for y in (0, 0.02) for z in (0, 0.02)])
    points = surface(np.concatenate([corners, round_eye]))
    for side in (1, -1):
        sides = np.array([side] * 8 + [-side] * 8, dtype=np.int8)
        assert derived_shapes.is_ball([points], [sides]) is ball
    assert derived_shapes.is_ball([points], [np.array([0] * 8 + [1] * 8, dtype=np.int8)])
