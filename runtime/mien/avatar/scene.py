"""A glTF scene laid out in the world: node transforms, skins in their rest pose, and what each primitive becomes."""

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.accessors import Reader
from mien.avatar.glb import Glb, Node, Primitive
from mien.errors import AvatarError

Floats = NDArray[np.float32]
MAX_NODES: Final = 10_000
MAX_INSTANCES: Final = 512


@dataclass(kw_only=True)
class Surface:
    """One primitive in the world. positions, normals: (V, 3); uvs (V, 2); tris (F, 3), all float32 and int64.

    targets: name to position deltas (V, 3). joints: for each vertex the node that moves it most, -1 without a skin.
    """

    name: str
    material: int
    positions: Floats
    normals: Floats | None
    uvs: Floats
    colors: Floats | None
    tris: NDArray[np.int64]
    joints: NDArray[np.int64]
    targets: dict[str, Floats] = field(default_factory=dict)


@dataclass(kw_only=True)
class Scene:
    """Every surface, and for each node its world transform (4, 4) and its parent (-1: none)."""

    surfaces: list[Surface]
    worlds: list[NDArray[np.float64]]
    parents: list[int]


def lay_out(glb: Glb) -> Scene:
    """Raises AvatarError: cyclic or too many nodes, or geometry that does not hold together."""
    parents = _parents(glb)
    worlds = _worlds(glb.json.nodes, parents)
    reader, surfaces = Reader(glb), []
    instances = [(i, node) for i, node in enumerate(glb.json.nodes) if node.mesh is not None]
    if len(instances) > MAX_INSTANCES:
        raise AvatarError(f"nodes: {len(instances)} show a mesh; at most {MAX_INSTANCES} are read")
    for index, node in instances:
        mesh = glb.pick("meshes", node.mesh or 0)
        for number, primitive in enumerate(mesh.primitives):
            if primitive.mode == 4:
                where = f"meshes[{node.mesh}].primitives[{number}]"
                label = f"{node.name} {mesh.name}".strip()
                names = _target_names(mesh.extras, primitive)
                surfaces.append(_surface(glb, reader, where, label, primitive, names, worlds, index, node.skin))
    if not surfaces:
        raise AvatarError("meshes: no triangles are in the scene")
    return Scene(surfaces=surfaces, worlds=worlds, parents=parents)


def _parents(glb: Glb) -> list[int]:
    nodes = glb.json.nodes
    if len(nodes) > MAX_NODES:
        raise AvatarError(f"nodes: {len(nodes)}; at most {MAX_NODES} are read")
    parents = [-1] * len(nodes)
    for index, node in enumerate(nodes):
        for child in node.children:
            if not 0 <= child < len(nodes):
                raise AvatarError(f"nodes[{index}].children: {child} with {len(nodes)} nodes")
            if parents[child] != -1 or child == index:
                raise AvatarError(f"nodes[{child}]: has two parents, or is its own; the nodes must form trees")
            parents[child] = index
    return parents


def _worlds(nodes: tuple[Node, ...], parents: list[int]) -> list[NDArray[np.float64]]:
    worlds: dict[int, NDArray[np.float64]] = {}
    for start in range(len(nodes)):
        path: list[int] = []
        at = start
        while at != -1 and at not in worlds:
            if len(path) > len(nodes):
                raise AvatarError(f"nodes[{start}]: its parents run in a circle")
            path.append(at)
            at = parents[at]
        for index in reversed(path):
            above = worlds[parents[index]] if parents[index] != -1 else np.eye(4)
            worlds[index] = above @ _local(index, nodes[index])
    return [worlds[index] for index in range(len(nodes))]


def _local(index: int, node: Node) -> NDArray[np.float64]:
    if node.matrix is not None:
        if len(node.matrix) != 16:
            raise AvatarError(f"nodes[{index}].matrix: {len(node.matrix)} numbers, expected 16")
        matrix = np.array(node.matrix, dtype=np.float64).reshape(4, 4).T
    else:
        matrix = np.eye(4)
        x, y, z, w = np.array(node.rotation) / max(float(np.linalg.norm(node.rotation)), 1e-12)
        matrix[:3, :3] = [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
        matrix[:3, :3] *= np.array(node.scale)
        matrix[:3, 3] = node.translation
    if not (np.abs(matrix) < 1e6).all():
        raise AvatarError(f"nodes[{index}]: its transform holds NaN, infinity or an absurd length")
    return matrix


def _target_names(extras: Any, primitive: Primitive) -> list[str]:
    for holder in (extras, primitive.extras):
        names = holder.get("targetNames") if isinstance(holder, dict) else None
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            return (names + [""] * len(primitive.targets))[: len(primitive.targets)]
    return [f"target {index}" for index in range(len(primitive.targets))]


def _surface(
    glb: Glb,
    reader: Reader,
    where: str,
    label: str,
    primitive: Primitive,
    names: list[str],
    worlds: list[NDArray[np.float64]],
    node: int,
    skin: int | None,
) -> Surface:
    if "POSITION" not in primitive.attributes:
        raise AvatarError(f"{where}.attributes: no POSITION")
    positions = reader.floats(primitive.attributes["POSITION"], 3)
    count = len(positions)
    linear, offset, joints = _placement(glb, reader, where, primitive, worlds, node, skin, count)
    material = glb.pick("materials", primitive.material).name if primitive.material is not None else ""
    normals = _optional(reader, where, primitive, "NORMAL", 3, count)
    return Surface(
        name=f"{label} {material}",
        material=-1 if primitive.material is None else primitive.material,
        positions=(np.einsum("vij,vj->vi", linear, positions) + offset).astype(np.float32),
        normals=None if normals is None else _turned(linear, normals),
        uvs=_uvs(reader, where, primitive, count),
        colors=_colors(reader, where, primitive, count),
        tris=_tris(reader, where, primitive, count),
        joints=joints,
        targets=_targets(reader, where, primitive, names, linear, count),
    )


def _turned(linear: NDArray[np.float64], normals: Floats) -> Floats:
    turned: Floats = np.einsum("vij,vj->vi", linear, normals).astype(np.float32)
    turned /= np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-12)
    return turned


def _optional(reader: Reader, where: str, primitive: Primitive, name: str, width: int, count: int) -> Floats | None:
    if name not in primitive.attributes:
        return None
    values = reader.floats(primitive.attributes[name], width)
    if len(values) != count:
        raise AvatarError(f"{where}.attributes.{name}: {len(values)} of {count} vertices")
    return values


def _uvs(reader: Reader, where: str, primitive: Primitive, count: int) -> Floats:
    uvs = _optional(reader, where, primitive, "TEXCOORD_0", 2, count)
    return np.zeros((count, 2), dtype=np.float32) if uvs is None else uvs


def _colors(reader: Reader, where: str, primitive: Primitive, count: int) -> Floats | None:
    if "COLOR_0" not in primitive.attributes:
        return None
    try:
        return _optional(reader, where, primitive, "COLOR_0", 3, count)
    except AvatarError:
        rgba = _optional(reader, where, primitive, "COLOR_0", 4, count)
        return None if rgba is None else rgba[:, :3]


def _tris(reader: Reader, where: str, primitive: Primitive, count: int) -> NDArray[np.int64]:
    indices = np.arange(count) if primitive.indices is None else reader.integers(primitive.indices)
    if len(indices) % 3:
        raise AvatarError(f"{where}.indices: {len(indices)} are no whole triangles")
    if indices.size and int(indices.max()) >= count:
        raise AvatarError(f"{where}.indices: {int(indices.max())} with {count} vertices")
    return indices.reshape(-1, 3).astype(np.int64)


def _targets(
    reader: Reader, where: str, primitive: Primitive, names: list[str], linear: NDArray[np.float64], count: int
) -> dict[str, Floats]:
    targets: dict[str, Floats] = {}
    for index, (name, target) in enumerate(zip(names, primitive.targets, strict=True)):
        if "POSITION" in target:
            deltas = reader.floats(target["POSITION"], 3)
            if len(deltas) != count:
                raise AvatarError(f"{where}.targets[{index}].POSITION: {len(deltas)} of {count} vertices")
            targets[name or f"target {index}"] = np.einsum("vij,vj->vi", linear, deltas).astype(np.float32)
    return targets


def _placement(
    glb: Glb,
    reader: Reader,
    where: str,
    primitive: Primitive,
    worlds: list[NDArray[np.float64]],
    node: int,
    skin: int | None,
    count: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """For each vertex the linear part (V, 3, 3) and offset (V, 3) that put it into the world, and its joint."""
    if skin is None or "JOINTS_0" not in primitive.attributes or "WEIGHTS_0" not in primitive.attributes:
        world = worlds[node]
        linear = np.broadcast_to(world[:3, :3], (count, 3, 3))
        return linear, np.broadcast_to(world[:3, 3], (count, 3)), np.full(count, node)
    entry = glb.pick("skins", skin)
    slots = reader.integers(primitive.attributes["JOINTS_0"], 4)
    weights = reader.floats(primitive.attributes["WEIGHTS_0"], 4).astype(np.float64)
    if len(slots) != count or len(weights) != count:
        raise AvatarError(f"{where}.attributes.JOINTS_0, WEIGHTS_0: not one for each of {count} vertices")
    if any(not 0 <= joint < len(worlds) for joint in entry.joints):
        raise AvatarError(f"skins[{skin}].joints: a joint is no node")
    if slots.size and int(slots.max()) >= len(entry.joints):
        raise AvatarError(f"{where}.attributes.JOINTS_0: {int(slots.max())} with {len(entry.joints)} joints")
    palette = np.stack([worlds[joint] for joint in entry.joints])
    if entry.inverse_bind_matrices is not None:
        inverse = reader.floats(entry.inverse_bind_matrices, 16).reshape(-1, 4, 4).transpose(0, 2, 1)
        if len(inverse) < len(palette):
            raise AvatarError(f"skins[{skin}].inverseBindMatrices: {len(inverse)} for {len(palette)} joints")
        palette = palette @ inverse[: len(palette)]
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1e-9)
    blended = np.einsum("vk,vkij->vij", weights, palette[slots])
    strongest = slots[np.arange(count), weights.argmax(axis=1)]
    return blended[:, :3, :3], blended[:, :3, 3], np.array(entry.joints, dtype=np.int64)[strongest]
