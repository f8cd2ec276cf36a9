"""From a GLB or VRM head to the mesh that the renderer draws: pure functions, nothing is written.

The scene is laid out in its rest pose, its targets are matched to the ARKit shapes, eyeballs are found, everything
below the shoulders is cut, parts that look alike are joined, textures are limited and deltas made sparse.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar import anatomy, crop
from mien.avatar.accessors import Reader
from mien.avatar.check import check_mesh
from mien.avatar.glb import Glb, Material, read_glb
from mien.avatar.names import uses
from mien.avatar.pictures import decode_picture
from mien.avatar.scene import Scene, Surface, lay_out
from mien.core.mesh import Mesh, MorphTarget, Part, Role
from mien.core.pose import ARKIT_SHAPES
from mien.errors import AvatarError

MAX_VERTICES: Final = 65_535
MAX_TEXTURE_SIDE: Final = 2048
MAX_PARTS: Final = 8
LEAST_MOVE_M: Final = 2e-5
LEAST_TURN: Final = 0.01
ROLE_WORDS: Final[tuple[tuple[Role, tuple[str, ...]], ...]] = (
    ("mouth", ("teeth", "tooth", "tongue", "mouth", "gum", "denture")),
    ("hair", ("hair", "brow", "lash", "beard", "mustache")),
    ("cloth", ("cloth", "shirt", "outfit", "jacket", "dress", "suit", "top", "collar", "hood", "coat", "tie")),
    ("skin", ("skin", "head", "face", "body", "neck", "ear", "nose")),
)


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What `mien avatar inspect` prints.

    sources: the targets behind each shape. missing: ARKit shapes without one. memory_bytes: of the mesh once loaded.
    """

    name: str
    vertices: int
    triangles: int
    parts: tuple[str, ...]
    textures: tuple[tuple[int, int], ...]
    sources: dict[str, tuple[str, ...]]
    missing: tuple[str, ...]
    unused: tuple[str, ...]
    has_eyes: bool
    memory_bytes: int


def bake_glb(path: Path) -> Mesh:
    """The avatar in a .glb or .vrm file. Raises AvatarError for a file that is broken, refused, or has no face."""
    return _guarded(path)[0]


def inspect(path: Path) -> Inspection:
    """What bake_glb() would make of the file. Raises AvatarError likewise."""
    mesh, matched, all_names = _guarded(path)
    taken = {target for binds in matched.values() for target, _, _ in binds}
    memory = mesh.positions.nbytes + mesh.normals.nbytes + mesh.uvs.nbytes + mesh.colors.nbytes + mesh.indices.nbytes
    memory += sum(t.positions.nbytes + t.normals.nbytes + t.vertices.nbytes for t in mesh.targets)
    memory += sum(texture.nbytes for texture in mesh.textures)
    return Inspection(
        name=mesh.name,
        vertices=len(mesh.positions),
        triangles=len(mesh.indices) // 3,
        parts=tuple(part.name for part in mesh.parts),
        textures=tuple((texture.shape[1], texture.shape[0]) for texture in mesh.textures),
        sources={shape: tuple(target for target, _, _ in binds) for shape, binds in matched.items()},
        missing=tuple(shape for shape in ARKIT_SHAPES if shape not in matched),
        unused=tuple(name for name in all_names if name not in taken),
        has_eyes=any(part.role == "eye_left" for part in mesh.parts),
        memory_bytes=memory,
    )


Matches = dict[str, list[tuple[str, float, int]]]


def _guarded(path: Path) -> tuple[Mesh, Matches, list[str]]:
    try:
        return _bake(path)
    except AvatarError as error:
        message = str(error)
        raise AvatarError(message if message.startswith(str(path)) else f"{path}: {message}") from None


def _bake(path: Path) -> tuple[Mesh, Matches, list[str]]:
    glb = read_glb(path)
    scene = lay_out(glb)
    if anatomy.faces_backward(glb):
        _turn_round(scene)
    names = list(dict.fromkeys(name for surface in scene.surfaces for name in surface.targets))
    matched = uses(names, _expressions(glb))
    if not matched:
        raise AvatarError(
            f"no morph target is an ARKit shape, a viseme or a VRM expression (there are {len(names)}); "
            "export the head with its blend shapes"
        )
    bones = anatomy.find_anatomy(glb)
    kept = crop.head_and_shoulders(scene, matched)
    mesh = _Builder(glb, scene, bones, matched, kept).mesh(path.stem)
    check_mesh(mesh)
    return mesh, matched, names


def _turn_round(scene: Scene) -> None:
    flip = np.array([-1, 1, -1], dtype=np.float32)
    for surface in scene.surfaces:
        surface.positions *= flip
        if surface.normals is not None:
            surface.normals *= flip
        for deltas in surface.targets.values():
            deltas *= flip
    for world in scene.worlds:
        world[:3] *= flip[:, None]


def _expressions(glb: Glb) -> dict[str, list[tuple[str, float]]]:
    """VRM expressions as (target name, weight) binds; VRM 1.0 counts to 1, VRM 0.x to 100."""
    found: dict[str, list[tuple[str, float]]] = {}
    new = anatomy.dig(glb.json.extensions, "VRMC_vrm", "expressions")
    for group in ("preset", "custom"):
        entries = new.get(group) if isinstance(new, dict) else None
        for name, entry in entries.items() if isinstance(entries, dict) else ():
            binds = entry.get("morphTargetBinds") if isinstance(entry, dict) else None
            found[name] = _binds(glb, binds, lambda bind: _mesh_of_node(glb, bind.get("node")), 1.0)
    old = anatomy.dig(glb.json.extensions, "VRM", "blendShapeMaster", "blendShapeGroups")
    for entry in old if isinstance(old, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("name"), str):
            name = str(entry.get("presetName") or "unknown")
            name = entry["name"] if name == "unknown" else name
            found[name] = _binds(glb, entry.get("binds"), lambda bind: bind.get("mesh"), 100.0)
    return {name: binds for name, binds in found.items() if binds}


def _mesh_of_node(glb: Glb, node: Any) -> int | None:
    nodes = glb.json.nodes
    return nodes[node].mesh if type(node) is int and 0 <= node < len(nodes) else None


def _binds(glb: Glb, binds: Any, mesh_of: Any, full: float) -> list[tuple[str, float]]:
    result: dict[str, float] = {}
    for bind in binds if isinstance(binds, list) else ():
        mesh = mesh_of(bind) if isinstance(bind, dict) else None
        index, weight = (bind.get("index"), bind.get("weight", full)) if isinstance(bind, dict) else (None, 0)
        if type(mesh) is not int or type(index) is not int or not isinstance(weight, (int, float)):
            continue
        extras = glb.pick("meshes", mesh).extras
        primitives = glb.pick("meshes", mesh).primitives
        names = extras.get("targetNames") if isinstance(extras, dict) else None
        if not isinstance(names, list) and primitives:
            own = primitives[0].extras
            names = own.get("targetNames") if isinstance(own, dict) else None
        name = names[index] if isinstance(names, list) and 0 <= index < len(names) else f"target {index}"
        if isinstance(name, str) and 0 < float(weight) <= full:
            result[name] = float(weight) / full
    return list(result.items())


class _Builder:
    """Joins what was kept of every surface into one mesh."""

    def __init__(
        self, glb: Glb, scene: Scene, bones: anatomy.Anatomy, matched: Matches, kept: list[NDArray[np.bool_]]
    ) -> None:
        self.glb, self.scene, self.bones, self.matched = glb, scene, bones, matched
        self.reader = Reader(glb)
        self.head_nodes = anatomy.head_joints(scene, bones)
        self.images: dict[int, int] = {}
        self.textures: list[NDArray[np.uint8]] = []
        self.runs: list[tuple[Part, Surface, NDArray[np.int64], NDArray[np.int8]]] = []
        for surface, keep in zip(scene.surfaces, kept, strict=True):
            self._add(surface, surface.tris[keep])

    def _add(self, surface: Surface, tris: NDArray[np.int64]) -> None:
        sides = anatomy.eye_sides(surface, self.bones)
        of_tri = sides[tris].min(axis=1) * (sides[tris].min(axis=1) == sides[tris].max(axis=1)) if len(tris) else tris
        for side in (0, 1, -1):
            own = tris[of_tri == side] if len(tris) else tris
            if len(own):
                self.runs.append((self._part(surface, side), surface, own, sides))

    def _part(self, surface: Surface, side: int) -> Part:
        material = self.glb.pick("materials", surface.material) if surface.material >= 0 else Material()
        rough = material.pbr_metallic_roughness.roughness_factor
        role: Role = {1: "eye_left", -1: "eye_right"}.get(side) or _role(surface)  # type: ignore[assignment]
        gloss = float(np.clip(2 / max(rough, 0.08) ** 2, 4, 200))
        return Part(
            name=role if side else surface.name.strip(),
            first_index=0,
            index_count=0,
            role=role,
            texture=self._texture(material),
            specular=0.8 if side else float(np.clip(0.45 * (1 - rough), 0.03, 0.4)),
            gloss=gloss,
            alpha=material.alpha_mode == "BLEND",
            double_sided=material.double_sided,
        )

    def _texture(self, material: Material) -> int:
        info = material.pbr_metallic_roughness.base_color_texture
        if info is None:
            return -1
        texture = self.glb.pick("textures", info.index)
        webp = texture.extensions.get("EXT_texture_webp")
        source = webp.get("source") if isinstance(webp, dict) else texture.source
        if type(source) is not int:
            raise AvatarError(f"textures[{info.index}]: no PNG, JPEG or WebP source; export it again with one")
        if source not in self.images:
            image = self.glb.pick("images", source)
            if image.buffer_view is None:
                raise AvatarError(f"images[{source}]: is not inside the file; pack everything into one .glb")
            data = self.reader.view_bytes(image.buffer_view).tobytes()
            self.textures.append(decode_picture(data, f"images[{source}]", MAX_TEXTURE_SIDE))
            self.images[source] = len(self.textures) - 1
        return self.images[source]

    def mesh(self, name: str) -> Mesh:
        runs = sorted(self.runs, key=lambda run: _likeness(run[0]))
        chunks = [_Chunk(surface, tris, part, self) for part, surface, tris, _ in runs]
        total = sum(len(chunk.vertices) for chunk in chunks)
        if not 0 < total <= MAX_VERTICES:
            raise AvatarError(f"{total} vertices on head and shoulders; at most {MAX_VERTICES} can be drawn")
        starts = np.cumsum([0, *(len(chunk.vertices) for chunk in chunks)])
        positions = np.concatenate([chunk.positions for chunk in chunks])
        tris = np.concatenate([chunk.tris + start for chunk, start in zip(chunks, starts, strict=False)])
        normals = np.concatenate([chunk.normals for chunk in chunks])
        scale = crop.scale_to_human(positions)
        parts = _join([(part, len(tris)) for (part, _, tris, _) in runs])
        frame_center, frame_height = crop.frame(positions * scale)
        pivots, neck = self._pivots(chunks, positions)
        return Mesh(
            name=name,
            positions=(positions * scale).astype(np.float32),
            normals=normals,
            uvs=np.concatenate([chunk.uvs for chunk in chunks]),
            colors=np.concatenate([chunk.colors for chunk in chunks]),
            head_weights=self._head_weights(chunks, positions),
            indices=tris.reshape(-1).astype(np.uint16),
            parts=parts,
            textures=tuple(self.textures),
            targets=tuple(self._targets(chunks, starts, positions, normals, tris, scale)),
            neck_pivot=(neck * scale).astype(np.float32),
            eye_pivots=(pivots * scale).astype(np.float32),
            frame_center=frame_center,
            frame_height=frame_height,
        )

    def _head_weights(self, chunks: list["_Chunk"], positions: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.bones.head != -1 and any(self.head_nodes[chunk.joints].any() for chunk in chunks):
            return np.concatenate([self.head_nodes[chunk.joints].astype(np.float32) for chunk in chunks])
        return crop.head_weights(positions)

    def _pivots(
        self, chunks: list["_Chunk"], positions: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The eyes' centers, (2, 3), and what the head turns about, before scaling."""
        pivots = np.zeros((2, 3), dtype=np.float32)
        for index, role in enumerate(("eye_left", "eye_right")):
            joint = self.bones.eyes[index]
            own = [chunk.positions for chunk in chunks if chunk.role == role]
            if own:
                cloud = np.concatenate(own)
                pivots[index] = (cloud.min(axis=0) + cloud.max(axis=0)) / 2
            elif joint != -1:
                pivots[index] = self.scene.worlds[joint][:3, 3]
        for joint in (self.bones.head, self.bones.neck):
            if joint != -1:
                return pivots, self.scene.worlds[joint][:3, 3].astype(np.float32)
        return pivots, crop.neck(positions)

    def _targets(
        self,
        chunks: list["_Chunk"],
        starts: NDArray[np.int64],
        positions: NDArray[np.float32],
        normals: NDArray[np.float32],
        tris: NDArray[np.int64],
        scale: float,
    ) -> list[MorphTarget]:
        smooth = crop.smooth_groups(positions, normals)
        rest = crop.vertex_normals(positions, tris, smooth)
        targets = []
        for shape in ARKIT_SHAPES:
            moves = np.zeros_like(positions)
            for target, weight, side in self.matched.get(shape, ()):
                for chunk, start in zip(chunks, starts, strict=False):
                    # Eyeballs are turned by the renderer; a target that turns them too would do it twice.
                    turned = shape.startswith("eyeLook") and chunk.role in ("eye_left", "eye_right")
                    if target in chunk.surface.targets and not turned:
                        delta = chunk.surface.targets[target][chunk.vertices] * np.float32(weight)
                        moves[start : start + len(delta)] += delta * crop.half(chunk.positions, side)[:, None]
            if not moves.any():
                continue
            turns = crop.vertex_normals(positions + moves, tris, smooth) - rest
            moved = (np.abs(moves).max(axis=1) * scale > LEAST_MOVE_M) | (np.abs(turns).max(axis=1) > LEAST_TURN)
            index = np.nonzero(moved)[0]
            targets.append(
                MorphTarget(
                    name=shape,
                    vertices=index.astype(np.uint16),
                    positions=(moves[index] * scale).astype(np.float32),
                    normals=turns[index].astype(np.float32),
                )
            )
        return targets


class _Chunk:
    """The vertices of one surface that one part uses, welded."""

    def __init__(self, surface: Surface, tris: NDArray[np.int64], part: Part, builder: _Builder) -> None:
        used, flat = np.unique(tris, return_inverse=True)
        self.vertices, flat = crop.weld(surface, used, flat)
        self.tris = flat.reshape(-1, 3)
        self.surface, self.role = surface, part.role
        self.positions = surface.positions[self.vertices]
        self.joints = surface.joints[self.vertices]
        self.uvs = np.clip(surface.uvs[self.vertices], -64, 64)
        normals = surface.normals
        computed = crop.vertex_normals(self.positions, self.tris, np.arange(len(self.vertices)))
        self.normals = computed if normals is None else normals[self.vertices]
        self.colors = _colors(builder.glb, surface, self.vertices)


def _colors(glb: Glb, surface: Surface, vertices: NDArray[np.int64]) -> NDArray[np.uint8]:
    material = glb.pick("materials", surface.material) if surface.material >= 0 else Material()
    linear = np.tile(np.array(material.pbr_metallic_roughness.base_color_factor[:3]), (len(vertices), 1))
    if surface.colors is not None:
        linear = linear * surface.colors[vertices]
    srgb = np.clip(linear, 0, 1) ** (1 / 2.2)
    rgba = np.full((len(vertices), 4), 255, dtype=np.uint8)
    rgba[:, :3] = np.rint(srgb * 255)
    return rgba


def _role(surface: Surface) -> Role:
    low = surface.name.lower()
    for role, words in ROLE_WORDS:
        if any(word in low for word in words):
            return role
    return "skin" if surface.targets else "other"


def _likeness(part: Part) -> tuple[bool, str, int, bool]:
    """What must agree for two runs to be drawn in one call; blended parts come last."""
    return (part.alpha, part.role, part.texture, part.double_sided)


def _join(runs: list[tuple[Part, int]]) -> tuple[Part, ...]:
    """Parts that follow each other and look alike become one."""
    parts: list[Part] = []
    first = 0
    for part, triangles in runs:
        count = 3 * triangles
        if parts and _likeness(parts[-1]) == _likeness(part):
            last = parts.pop()
            part, start, count = last, last.first_index, last.index_count + count
        else:
            start = first
        first += 3 * triangles
        parts.append(_placed(part, start, count))
    return tuple(parts)


def _placed(part: Part, first_index: int, index_count: int) -> Part:
    return Part(
        name=part.name,
        first_index=first_index,
        index_count=index_count,
        role=part.role,
        texture=part.texture,
        specular=part.specular,
        gloss=part.gloss,
        alpha=part.alpha,
        double_sided=part.double_sided,
    )
