"""The node hierarchy: world transforms, visibility, lowered arms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.gltf.glb import AGAIN, Glb
from mien.avatar.gltf.schema import Node
from mien.errors import AvatarError

MAX_NODES: Final = 20_000
# The direction of a lowered upper arm: nearly straight down, slightly outwards.
ARM_DOWN: Final = (0.22, -0.97, 0.05)
ARM_ALREADY_DOWN: Final = -0.9


@dataclass(kw_only=True)
class Nodes:
    """worlds: the world transform of each node, (4, 4). parents: -1 for none. shown: the nodes of the scene."""

    worlds: list[NDArray[np.float64]]
    parents: list[int]
    shown: frozenset[int]


def place_nodes(glb: Glb) -> Nodes:
    """Resolve the hierarchy. Raises AvatarError for cyclic, shared or too many nodes, or a transform with NaN."""
    parents = _parents(glb)
    return Nodes(worlds=_worlds(glb.json.nodes, parents), parents=parents, shown=_shown(glb))


def descendants(parents: Sequence[int], roots: set[int]) -> NDArray[np.bool_]:
    """A mask of the nodes in the subtrees of `roots`, bool (nodes,)."""
    under = np.zeros(len(parents), dtype=bool)
    known = np.zeros(len(parents), dtype=bool)
    for start in range(len(parents)):
        path, at = [], start
        while at != -1 and not known[at] and at not in roots:
            path.append(at)
            at = parents[at]
        found = at != -1 and (at in roots or bool(under[at]))
        for node in (*path, start):
            known[node], under[node] = True, found
    return under


def take_bind_pose(nodes: Nodes, root: int, tree: tuple[Node, ...], offsets: dict[int, NDArray[np.float64]]) -> None:
    """Place the joints under `root` as they were when the skin was bound to them. Changes nodes.worlds.

    A face that was exported in the middle of an expression has joints off their bind pose, and its neutral would be
    that expression. offsets: the transform (4, 4) from the root to each joint. Other nodes follow their parents.
    """
    old = list(nodes.worlds)
    left = list(tree[root].children)
    while left:
        node = left.pop()
        left += tree[node].children
        if node in offsets:
            nodes.worlds[node] = nodes.worlds[root] @ offsets[node]
        else:
            parent = nodes.parents[node]
            nodes.worlds[node] = nodes.worlds[parent] @ np.linalg.pinv(old[parent]) @ old[node]


def _parents(glb: Glb) -> list[int]:
    nodes = glb.json.nodes
    if len(nodes) > MAX_NODES:
        raise AvatarError(f"nodes: {len(nodes)}; at most {MAX_NODES} are read. Export the figure alone")
    parents = [-1] * len(nodes)
    for index, node in enumerate(nodes):
        for child in node.children:
            if not 0 <= child < len(nodes):
                raise AvatarError(f"nodes[{index}].children: {child} with {len(nodes)} nodes; {AGAIN}")
            if parents[child] != -1 or child == index:
                raise AvatarError(
                    f"nodes[{child}]: has two parents or is its own parent; nodes must form trees. {AGAIN}"
                )
            parents[child] = index
    return parents


def _worlds(nodes: tuple[Node, ...], parents: list[int]) -> list[NDArray[np.float64]]:
    worlds: dict[int, NDArray[np.float64]] = {}
    for start in range(len(nodes)):
        path: list[int] = []
        at = start
        while at != -1 and at not in worlds:
            if len(path) > len(nodes):
                raise AvatarError(f"nodes[{start}]: its parents form a cycle; {AGAIN}")
            path.append(at)
            at = parents[at]
        for index in reversed(path):
            local = _local(index, nodes[index])
            worlds[index] = worlds[parents[index]] @ local if parents[index] != -1 else local
            if not (np.abs(worlds[index]) < 1e6).all():
                raise AvatarError(f"nodes[{index}]: its transform holds NaN, infinity or an absurd length; {AGAIN}")
    return [worlds[index] for index in range(len(nodes))]


def _local(index: int, node: Node) -> NDArray[np.float64]:
    if node.matrix is not None:
        if len(node.matrix) != 16:
            raise AvatarError(f"nodes[{index}].matrix: {len(node.matrix)} numbers, expected 16; {AGAIN}")
        return np.array(node.matrix, dtype=np.float64).reshape(4, 4).T
    matrix = np.eye(4)
    length = float(np.linalg.norm(node.rotation))
    x, y, z, w = np.array(node.rotation) / length if 0 < length < 1e9 else (0.0, 0.0, 0.0, 1.0)
    matrix[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    matrix[:3, :3] *= np.array(node.scale)
    matrix[:3, 3] = node.translation
    return matrix


def _shown(glb: Glb) -> frozenset[int]:
    """The nodes of the default scene; all of them where the file has no scenes."""
    nodes, scenes = glb.json.nodes, glb.json.scenes
    if not scenes:
        return frozenset(range(len(nodes)))
    left = list(glb.pick("scenes", glb.json.scene).nodes)
    shown: set[int] = set()
    while left:
        node = left.pop()
        if not 0 <= node < len(nodes):
            raise AvatarError(f"scenes[{glb.json.scene}].nodes: {node} with {len(nodes)} nodes; {AGAIN}")
        if node not in shown:
            shown.add(node)
            left += nodes[node].children
    return frozenset(shown)


def lower_arms(nodes: Nodes, arms: Sequence[int], tree: tuple[Any, ...]) -> None:
    """Rotate the joints `arms` with their descendants until the upper arms point down. Changes nodes.worlds.

    tree: the file's nodes, which give the direction from each joint to its child.
    """
    for arm in arms:
        at = nodes.worlds[arm][:3, 3].copy()
        reach = [nodes.worlds[child][:3, 3] - at for child in tree[arm].children]
        far = max(reach, key=lambda span: float(np.linalg.norm(span)), default=np.zeros(3))
        length = float(np.linalg.norm(far))
        if length < 1e-6 or far[1] / length < ARM_ALREADY_DOWN:
            continue
        down = np.array(ARM_DOWN) * (np.sign(far[0]) or 1.0, 1.0, 1.0)
        turn = _between(far / length, down / np.linalg.norm(down))
        for node in np.nonzero(descendants(nodes.parents, {arm}))[0]:
            world = nodes.worlds[node].copy()
            world[:3, :3] = turn @ world[:3, :3]
            world[:3, 3] = at + turn @ (world[:3, 3] - at)
            nodes.worlds[node] = world


def _between(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """The shortest rotation (3, 3) from one unit vector to another."""
    axis, cosine = np.cross(start, end), float(start @ end)
    if cosine < -0.9999:
        return np.diag([-1.0, -1.0, 1.0])
    x, y, z = axis
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    turn: NDArray[np.float64] = np.eye(3) + skew + skew @ skew / (1 + cosine)
    return turn
