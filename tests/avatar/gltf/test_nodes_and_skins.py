"""Placement of nodes, skins, lowered arms; triangle strips, fans."""

import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from mien.avatar.gltf import nodes as placed
from mien.avatar.gltf.accessors import Reader
from mien.avatar.gltf.glb import Glb
from mien.avatar.gltf.nodes import Nodes, descendants, lower_arms, place_nodes
from mien.avatar.gltf.scene import FAN, STRIP, TRIANGLES, lay_out, target_names
from mien.avatar.gltf.schema import Gltf
from mien.avatar.gltf.skin import Bones, Placement, place
from mien.errors import AvatarError

HALF = math.sqrt(0.5)


def opened(binary: bytes = b"", **fields: Any) -> Glb:
    json = {"asset": {"version": "2.0"}, "buffers": [{"byteLength": len(binary)}], **fields}
    return Glb(msgspec.convert(json, Gltf), binary, Path())


def test_a_node_is_scaled_then_turned_then_moved_and_its_child_with_it() -> None:
    """A quarter turn about y takes x to -z (glTF 2.0, 3.5.2)."""
    quarter = [0, HALF, 0, HALF]
    nodes = place_nodes(opened(nodes=[
        {"translation": [1, 2, 3], "rotation": quarter, "scale": [2, 3, 4], "children": [1]},
        {"translation": [1, 0, 0]},
    ]))  # fmt: skip
    np.testing.assert_allclose(nodes.worlds[0] @ [1, 1, 1, 1], [1 + 4, 2 + 3, 3 - 2, 1], atol=1e-9)
    np.testing.assert_allclose(nodes.worlds[1][:3, 3], [1, 2, 3 - 2], atol=1e-9)
    assert nodes.parents == [-1, 0]


@pytest.mark.parametrize(
    ("rotation", "x", "y"),
    [
        ([HALF, 0, 0, HALF], [1, 0, 0], [0, 0, 1]),
        ([0, 0, HALF, HALF], [0, 1, 0], [-1, 0, 0]),
        ([0.5, 0.5, 0.5, 0.5], [0, 1, 0], [0, 0, 1]),
        ([0, 0, 3, 3], [0, 1, 0], [-1, 0, 0]),
        ([0, 0, 0, 0], [1, 0, 0], [0, 1, 0]),
    ],
)
def test_rotations_are_unit_quaternions_or_made_so(rotation: list[float], x: list[float], y: list[float]) -> None:
    world = place_nodes(opened(nodes=[{"rotation": rotation}])).worlds[0]
    np.testing.assert_allclose(world[:3, 0], x, atol=1e-9)
    np.testing.assert_allclose(world[:3, 1], y, atol=1e-9)


def test_a_matrix_comes_by_columns() -> None:
    matrix = np.arange(16.0).reshape(4, 4)
    world = place_nodes(opened(nodes=[{"matrix": matrix.T.reshape(-1).tolist()}])).worlds[0]
    np.testing.assert_array_equal(world, matrix)


def test_the_scene_that_is_named_is_shown_with_all_that_hangs_in_it() -> None:
    tree = [{"children": [1]}, {"children": [2]}, {}, {}]
    assert place_nodes(opened(nodes=tree)).shown == {0, 1, 2, 3}
    scenes = [{"nodes": [3]}, {"nodes": [0]}]
    assert place_nodes(opened(nodes=tree, scenes=scenes)).shown == {3}
    assert place_nodes(opened(nodes=tree, scenes=scenes, scene=1)).shown == {0, 1, 2}
    for wrong in (4, -1):
        with pytest.raises(AvatarError, match=rf"scenes\[0\].nodes: {wrong} with 4 nodes"):
            place_nodes(opened(nodes=tree, scenes=[{"nodes": [wrong]}]))


@pytest.mark.parametrize(
    ("nodes", "says"),
    [
        ([{"children": [1]}], r"nodes\[0\].children: 1 with 1"),
        ([{"children": [-1]}], r"nodes\[0\].children: -1 with 1"),
        ([{"children": [0]}], r"nodes\[0\]: has two parents or is its own"),
        ([{"children": [2]}, {"children": [2]}, {}], r"nodes\[2\]: has two parents"),
        ([{"children": [1]}, {"children": [0]}], "form a cycle"),
        ([{"translation": [1e6, 0, 0]}], r"nodes\[0\]: its transform"),
        ([{"scale": [1e4, 1, 1], "children": [1]}, {"scale": [1e3, 1, 1]}], r"nodes\[1\]: its transform"),
    ],
)
def test_what_is_no_tree_or_lies_out_of_the_world_is_refused(nodes: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(AvatarError, match=says):
        place_nodes(opened(nodes=nodes))


def test_as_many_nodes_as_the_limit_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(placed, "MAX_NODES", 3)
    assert len(place_nodes(opened(nodes=[{}] * 3)).worlds) == 3
    with pytest.raises(AvatarError, match="nodes: 4; at most 3"):
        place_nodes(opened(nodes=[{}] * 4))


def test_descendants_include_the_roots() -> None:
    parents = [-1, 0, 1, 1, 0, -1]
    assert descendants(parents, {1}).tolist() == [False, True, True, True, False, False]
    assert descendants(parents, {0}).tolist() == [True] * 5 + [False]
    assert descendants(parents, {4, 5}).tolist() == [False] * 4 + [True, True]
    assert not descendants(parents, set()).any()
    assert descendants([2, 0, -1], {2}).all()  # children before their parents


def arm(reach: tuple[float, float, float], *, side: float = 1.0) -> tuple[Nodes, Any]:
    """A shoulder at (.2 side, 1.4, 0), an elbow at `reach` from it, a hand .3 further; and an unrelated node."""
    glb = opened(nodes=[
        {"translation": [0.2 * side, 1.4, 0], "children": [1, 3]}, {"translation": list(reach), "children": [2]},
        {"translation": [0.3 * side, 0, 0]}, {"translation": [0, 0.01, 0]}, {"translation": [5, 5, 5]},
    ])  # fmt: skip
    return place_nodes(glb), glb.json.nodes


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_stretched_arm_is_let_down_to_its_own_side(side: float) -> None:
    nodes, tree = arm((0.3 * side, 0, 0), side=side)
    lower_arms(nodes, [0], tree)
    shoulder, elbow, hand = (nodes.worlds[node][:3, 3] for node in range(3))
    np.testing.assert_allclose(shoulder, [0.2 * side, 1.4, 0])
    down = (elbow - shoulder) / 0.3
    assert np.linalg.norm(down) == pytest.approx(1.0)
    assert down[1] == pytest.approx(-0.97, abs=0.01)
    assert down[0] * side == pytest.approx(0.22, abs=0.01)
    np.testing.assert_allclose(hand - elbow, elbow - shoulder, atol=1e-6)
    np.testing.assert_allclose(nodes.worlds[4][:3, 3], [5, 5, 5])
    assert np.linalg.det(nodes.worlds[2][:3, :3]) == pytest.approx(1.0)


@pytest.mark.parametrize("reach", [(0.05, -0.3, 0), (0, -0.3, 0.1), (1e-8, 0, 0)])
def test_an_arm_that_hangs_or_has_no_length_is_left_alone(reach: tuple[float, float, float]) -> None:
    nodes, tree = arm(reach)
    before = [world.copy() for world in nodes.worlds]
    if reach == (1e-8, 0, 0):
        tree = (msgspec.structs.replace(tree[0], children=(1,)), *tree[1:])
    lower_arms(nodes, [0], tree)
    for was, now in zip(before, nodes.worlds, strict=True):
        np.testing.assert_array_equal(was, now)


def test_an_arm_held_straight_up_comes_down_too() -> None:
    nodes, tree = arm((-0.068, 0.3, -0.0155))
    lower_arms(nodes, [0], tree)
    assert nodes.worlds[1][1, 3] < 1.15


def rigged(weights: np.ndarray, slots: np.ndarray, **skin: Any) -> tuple[Glb, np.ndarray]:
    """Vertices with four influences on two joints: node 1 a metre up, node 2 a metre to the right."""
    count = len(weights)
    binary = slots.astype("<u1").tobytes() + weights.astype("<f4").tobytes()
    fields = {
        "nodes": [{"skin": 0}, {"translation": [0, 1, 0]}, {"translation": [1, 0, 0]}],
        "skins": [{"joints": [1, 2]} | skin],
        "bufferViews": [
            {"buffer": 0, "byteLength": 4 * count},
            {"buffer": 0, "byteOffset": 4 * count, "byteLength": 16 * count},
        ],
        "accessors": [
            {"componentType": 5121, "type": "VEC4", "count": count, "bufferView": 0},
            {"componentType": 5126, "type": "VEC4", "count": count, "bufferView": 1},
        ],
        "meshes": [{"primitives": [{"attributes": {"JOINTS_0": 0, "WEIGHTS_0": 1}}]}],
    }
    return opened(binary, **fields), weights


def placing(glb: Glb, count: int) -> Placement:
    nodes = place_nodes(glb)
    return place(glb, Reader(glb), "meshes[0].primitives[0]", glb.json.meshes[0].primitives[0], nodes.worlds, 0, count)


def test_a_vertex_goes_where_its_joints_take_it_by_their_weights() -> None:
    weights = np.array([[1, 0, 0, 0], [0.5, 0.5, 0, 0], [3, 1, 0, 0], [0, 0, 0, 0], [-5, 1, 0, 0]], dtype=np.float32)
    joints = np.tile([0, 1, 0, 0], (5, 1))
    glb, _ = rigged(weights, joints)
    skin = placing(glb, 5)
    moved = skin.move(np.zeros((5, 3), np.float32))
    np.testing.assert_allclose(moved, [[0, 1, 0], [0.5, 0.5, 0], [0.25, 0.75, 0], [0, 1, 0], [1, 0, 0]], atol=1e-6)
    np.testing.assert_allclose(skin.bones.weights.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_allclose(skin.bones.share(np.array([False, False, True])), [0, 0.5, 0.25, 0, 1], atol=1e-6)
    assert not skin.mirrored


def test_a_joint_that_is_not_there_is_refused_where_it_counts() -> None:
    weights = np.array([[1, 0, 0, 0]], dtype=np.float32)
    glb, _ = rigged(weights, np.array([[2, 0, 0, 0]]))
    with pytest.raises(AvatarError, match="JOINTS_0: 2 with 2 joints"):
        placing(glb, 1)
    placing(rigged(weights, np.array([[1, 99, 0, 0]]))[0], 1)  # an influence without weight is ignored


@pytest.mark.parametrize(
    ("skin", "says"),
    [
        ({"joints": []}, r"skins\[0\].joints: 0; 1 to"),
        ({"joints": [1, 3]}, "a joint is not a node"),
        ({"joints": [-1, 1]}, "a joint is not a node"),
    ],
)
def test_a_skin_without_joints_of_the_file_is_refused(skin: dict[str, Any], says: str) -> None:
    glb, _ = rigged(np.ones((1, 4), np.float32), np.zeros((1, 4)), **skin)
    with pytest.raises(AvatarError, match=says):
        placing(glb, 1)


def own(linear: np.ndarray) -> Placement:
    bones = Bones(nodes=np.zeros((1, 1), np.int32), weights=np.ones((1, 1), np.float32))
    return Placement(linear=linear, offset=np.zeros(3), bones=bones)


def test_normals_stay_upright_on_what_is_scaled_and_outside_on_what_is_mirrored() -> None:
    slope = np.array([[0.6, 0.8, 0]], np.float32)
    squeezed = own(np.diag([2.0, 1.0, 1.0])).turn_normals(slope)[0]
    np.testing.assert_allclose(squeezed, np.array([0.3, 0.8, 0]) / np.hypot(0.3, 0.8), atol=1e-6)
    for linear in (np.diag([-1.0, 1, 1]), np.diag([-1.0, 1, 1])[None]):
        mirror = own(linear)
        assert mirror.mirrored
        np.testing.assert_allclose(mirror.turn_normals(slope), [[-0.6, 0.8, 0]], atol=1e-6)
    assert not own(np.diag([-1.0, -1, 1])).mirrored
    np.testing.assert_array_equal(own(np.zeros((3, 3))).turn_normals(slope), [[0, 0, 1]])


def shown(indices: list[int], mode: int, count: int = 5) -> Any:
    points = np.arange(3 * count, dtype="<f4").tobytes()
    binary = points + np.array(indices, "<u2").tobytes()
    glb = opened(
        binary, nodes=[{"mesh": 0}],
        meshes=[{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1, "mode": mode}]}],
        bufferViews=[{"buffer": 0, "byteLength": len(points)},
                     {"buffer": 0, "byteOffset": len(points), "byteLength": 2 * len(indices)}],
        accessors=[{"componentType": 5126, "type": "VEC3", "count": count, "bufferView": 0},
                   {"componentType": 5123, "type": "SCALAR", "count": len(indices), "bufferView": 1}],
    )  # fmt: skip
    return lay_out(glb, place_nodes(glb), set(), Reader(glb))[0].tris.tolist()


def test_strips_and_fans_keep_their_winding_and_lose_what_has_no_surface() -> None:
    assert shown([0, 1, 2, 2, 1, 3], TRIANGLES) == [[0, 1, 2], [2, 1, 3]]
    assert shown([0, 1, 2, 3, 4], STRIP) == [[0, 1, 2], [1, 3, 2], [2, 3, 4]]
    assert shown([0, 1, 2, 2, 3, 4], STRIP) == [[0, 1, 2], [2, 4, 3]]
    assert shown([0, 1, 2, 3], FAN) == [[0, 1, 2], [0, 2, 3]]
    assert shown([0, 0, 1, 0, 1, 1, 1, 0, 1, 0, 1, 4], TRIANGLES) == [[0, 1, 4]]


@pytest.mark.parametrize(
    ("indices", "mode", "says"),
    [
        ([0, 1, 5], TRIANGLES, "indices: 5 with 5 vertices"),
        ([0, 1, 2, 3], TRIANGLES, "4 are not a multiple of 3"),
        ([0, 1], STRIP, "no triangles are in the scene"),
        ([0, 1], FAN, "no triangles are in the scene"),
        ([0, 1, 2], 1, "no triangles are in the scene"),
    ],
)
def test_what_gives_no_triangles_is_refused(indices: list[int], mode: int, says: str) -> None:
    with pytest.raises(AvatarError, match=says):
        shown(indices, mode)


@pytest.mark.parametrize(
    ("mesh_names", "own_names", "wanted"),
    [
        (["a", "b"], None, ["a", "b"]),
        (None, ["a", "b"], ["a", "b"]),
        (["a", "b"], ["c", "d"], ["a", "b"]),
        (["a"], None, ["a", "[meshes 0, target 1]"]),
        (["a", "a"], None, ["a", "a[meshes 0, target 1]"]),
        (["a", 5], None, ["a", "[meshes 0, target 1]"]),
        (["a", "b", "c"], None, ["a", "b"]),
        ("ab", None, ["[meshes 0, target 0]", "[meshes 0, target 1]"]),
    ],
)
def test_targets_are_called_by_the_mesh_or_the_primitive_or_their_number(
    mesh_names: Any, own_names: Any, wanted: list[str]
) -> None:
    primitive = {"attributes": {}, "targets": [{}, {}], "extras": {"targetNames": own_names}}
    glb = opened(meshes=[{"primitives": [primitive], "extras": {"targetNames": mesh_names}}])
    assert target_names(glb, 0, glb.json.meshes[0].primitives[0]) == wanted
