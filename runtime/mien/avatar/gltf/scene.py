"""The surfaces of a glTF scene in world space, with skins in their rest pose."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.gltf.accessors import Reader
from mien.avatar.gltf.glb import AGAIN, Glb
from mien.avatar.gltf.materials import Material, read_material
from mien.avatar.gltf.nodes import Nodes
from mien.avatar.gltf.schema import Primitive
from mien.avatar.gltf.skin import Bones, place
from mien.errors import AvatarError

Floats = NDArray[np.float32]
MAX_INSTANCES: Final = 1024
MAX_VERTICES: Final = 2_000_000
TRIANGLES, STRIP, FAN = 4, 5, 6
MAX_NAMES: Final = 50_000


@dataclass(kw_only=True)
class Surface:
    """One primitive in world space. positions, normals: (V, 3); uvs: (V, 2), of the material's UV set; tris: (F, 3).

    colors: linear RGB (V, 3). name: of node, mesh and material. targets: from a name to position deltas (V, 3).
    bones: the nodes that move each vertex.
    """

    name: str
    material: Material
    positions: Floats
    normals: Floats | None
    uvs: Floats
    colors: Floats | None
    tris: NDArray[np.int64]
    bones: Bones
    targets: dict[str, Floats] = field(default_factory=dict)


def target_names(glb: Glb, mesh: int, primitive: Primitive) -> list[str]:
    """The names of a primitive's targets: from the mesh's extras, from the primitive's, or by number."""
    count = len(primitive.targets)
    names: list[str] = []
    for holder in (glb.pick("meshes", mesh).extras, primitive.extras):
        given = holder.get("targetNames") if isinstance(holder, dict) else None
        if isinstance(given, list) and not names:
            names = [name if isinstance(name, str) else "" for name in given[:count]]
    names += [""] * (count - len(names))
    seen: set[str] = set()
    for index, name in enumerate(names):
        if not name or name in seen:
            names[index] = f"{name}[meshes {mesh}, target {index}]"
        seen.add(names[index])
    return names


def all_target_names(glb: Glb, nodes: Nodes) -> list[str]:
    """The target names of all visible meshes, each once, in file order. Raises AvatarError for too many."""
    names: dict[str, None] = {}
    for index, node in _shown_meshes(glb, nodes):
        for primitive in glb.pick("meshes", node).primitives:
            names.update(dict.fromkeys(target_names(glb, node, primitive)))
            if len(names) > MAX_NAMES:
                raise AvatarError(
                    f"nodes[{index}]: more than {MAX_NAMES} morph targets; remove those that are not used"
                )
    return list(names)


def lay_out(glb: Glb, nodes: Nodes, wanted: set[str], reader: Reader) -> list[Surface]:
    """Every triangle mesh of the scene. wanted: the targets to read. Raises AvatarError for invalid geometry."""
    surfaces: list[Surface] = []
    total = 0
    for index, mesh in _shown_meshes(glb, nodes):
        entry = glb.pick("meshes", mesh)
        for number, primitive in enumerate(entry.primitives):
            if primitive.mode not in (TRIANGLES, STRIP, FAN):
                continue
            where = f"meshes[{mesh}].primitives[{number}]"
            surface = _surface(glb, reader, where, (index, mesh), primitive, nodes, wanted)
            total += len(surface.positions)
            if total > MAX_VERTICES:
                raise AvatarError(f"{where}: more than {MAX_VERTICES} vertices; reduce the mesh before the export")
            if len(surface.tris):
                surfaces.append(surface)
    if not surfaces:
        raise AvatarError("meshes: no triangles are in the scene; export the head with its meshes")
    return surfaces


def _shown_meshes(glb: Glb, nodes: Nodes) -> list[tuple[int, int]]:
    shown = [(i, node.mesh) for i, node in enumerate(glb.json.nodes) if node.mesh is not None and i in nodes.shown]
    primitives = sum(len(glb.pick("meshes", mesh).primitives) for _, mesh in shown)
    if primitives > MAX_INSTANCES:
        raise AvatarError(
            f"nodes: {primitives} primitives are shown; at most {MAX_INSTANCES} are read. Join the meshes"
        )
    return shown


def _surface(
    glb: Glb,
    reader: Reader,
    where: str,
    at: tuple[int, int],
    primitive: Primitive,
    nodes: Nodes,
    wanted: set[str],
) -> Surface:
    if "KHR_draco_mesh_compression" in primitive.extensions:
        raise AvatarError(f"{where}: Draco is not supported; export the file again without it")
    if "POSITION" not in primitive.attributes:
        raise AvatarError(f"{where}.attributes: no POSITION; {AGAIN}")
    node, mesh = at
    positions = reader.floats(primitive.attributes["POSITION"], 3)
    count = len(positions)
    tris = _tris(reader, where, primitive, count)
    placing = place(glb, reader, where, primitive, nodes.worlds, node, count)
    material = read_material(glb, primitive.material)
    normals = _optional(reader, where, primitive, "NORMAL", 3, count)
    targets = {
        name: placing.turn(_deltas(reader, f"{where}.targets[{i}]", primitive.targets[i]["POSITION"], count))
        for i, name in enumerate(target_names(glb, mesh, primitive))
        if name in wanted and "POSITION" in primitive.targets[i]
    }
    return Surface(
        name=f"{glb.json.nodes[node].name} {glb.json.meshes[mesh].name} {material.name}",
        material=material,
        positions=placing.move(positions),
        normals=None if normals is None else placing.turn_normals(normals),
        uvs=_uvs(reader, where, primitive, material, count),
        colors=_colors(reader, where, primitive, count),
        tris=tris[:, ::-1].copy() if placing.mirrored else tris,
        bones=placing.bones,
        targets=targets,
    )


def _deltas(reader: Reader, where: str, accessor: int, count: int) -> Floats:
    return reader.floats(accessor, 3, count, f"{where}.POSITION")


def _optional(reader: Reader, where: str, primitive: Primitive, name: str, width: int, count: int) -> Floats | None:
    if name not in primitive.attributes:
        return None
    return reader.floats(primitive.attributes[name], width, count, f"{where}.attributes.{name}")


def _uvs(reader: Reader, where: str, primitive: Primitive, material: Material, count: int) -> Floats:
    uvs = _optional(reader, where, primitive, f"TEXCOORD_{material.tex_coord}", 2, count)
    if uvs is None:
        return np.zeros((count, 2), dtype=np.float32)
    placed: Floats = (uvs @ material.uv[:, :2].T + material.uv[:, 2]).astype(np.float32)
    return placed


def _colors(reader: Reader, where: str, primitive: Primitive, count: int) -> Floats | None:
    if "COLOR_0" not in primitive.attributes:
        return None
    width = 3 if reader.width(primitive.attributes["COLOR_0"]) == 3 else 4
    colors = _optional(reader, where, primitive, "COLOR_0", width, count)
    return None if colors is None else colors[:, :3]


def _tris(reader: Reader, where: str, primitive: Primitive, count: int) -> NDArray[np.int64]:
    indices = np.arange(count) if primitive.indices is None else reader.integers(primitive.indices)
    if indices.size and int(indices.max()) >= count:
        raise AvatarError(f"{where}.indices: {int(indices.max())} with {count} vertices; {AGAIN}")
    tris = _triangles(indices, primitive.mode, where)
    distinct = (tris[:, 0] != tris[:, 1]) & (tris[:, 1] != tris[:, 2]) & (tris[:, 0] != tris[:, 2])
    whole: NDArray[np.int64] = tris[distinct]
    return whole


def _triangles(indices: NDArray[np.int64], mode: int, where: str) -> NDArray[np.int64]:
    if mode == TRIANGLES:
        if len(indices) % 3:
            raise AvatarError(f"{where}.indices: {len(indices)} are not a multiple of 3; {AGAIN}")
        return indices.reshape(-1, 3)
    if len(indices) < 3:
        return np.zeros((0, 3), dtype=np.int64)
    a, b, c = indices[:-2], indices[1:-1], indices[2:]
    if mode == FAN:
        return np.stack([np.full_like(b, indices[0]), b, c], axis=1)
    odd = np.arange(len(a)) % 2 == 1
    return np.stack([a, np.where(odd, c, b), np.where(odd, b, c)], axis=1)
