"""Assembly of textured submeshes into one mesh."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.bake import figure as figures
from mien.avatar.bake import geometry
from mien.avatar.bake.anatomy import Anatomy, words
from mien.avatar.bake.ao import openness
from mien.avatar.bake.figure import Figure
from mien.avatar.bake.names import Matches
from mien.avatar.bake.submesh import Submesh, WeldedSubmesh, colors_of, normals_of, weld
from mien.avatar.gltf.nodes import Nodes, descendants
from mien.core.mesh import Mesh, MorphTarget, Part, material_key
from mien.core.pose import ARKIT_SHAPES

Floats = NDArray[np.float32]
LEAST_MOVE_M: Final = 2e-5
LEAST_TURN: Final = 0.01
# The lowest openness per role. Occlusion is baked for the neutral face, but mouths open, lids unfold and eyes turn.
LEAST_OPEN: Final = {"mouth": 0.45, "eye_left": 0.6, "eye_right": 0.6}
LEAST_OPEN_SKIN: Final = 0.3
LEAST_OPEN_LID: Final = 0.7
OCCLUSION_OF_UNLIT: Final = 0.35
NECK_SHARE: Final = 0.45
HIGHLIGHTS: Final = frozenset({"highlight", "eyehighlight", "highlights", "catchlight"})


def assemble(
    name: str,
    submeshes: list[Submesh],
    textures: list[NDArray[np.uint8]],
    matches: Matches,
    gains: dict[str, float],
    nodes: Nodes,
    bones: Anatomy,
    figure: Figure,
) -> Mesh:
    """Build the mesh. gains: a factor for each shape.

    Raises AvatarError when 16-bit indices cannot reach every vertex.
    """
    welded = weld(sorted(submeshes, key=_back_to_front), figure.scale)
    starts = np.cumsum([0, *(len(submesh.vertices) for submesh in welded)])
    positions = np.concatenate([submesh.positions for submesh in welded])
    normals = np.concatenate([normals_of(submesh, figure.scale) for submesh in welded])
    tris = np.concatenate([submesh.tris + start for submesh, start in zip(welded, starts, strict=False)])
    scale = np.float32(figure.scale)
    targets = tuple(_targets(welded, starts, positions * scale, normals, tris, matches, gains, figure))
    colors = np.concatenate([colors_of(submesh) for submesh in welded])
    colors[:, 3] = np.rint(255 * _open(welded, starts, positions * scale, normals, targets))
    turning = _head_weights(welded, nodes, bones, figure)
    center, height, width = figures.frame(figure, positions, turning)
    pivots, neck = _pivots(welded, nodes, bones, figure, positions)
    return Mesh(
        name=name,
        positions=positions * scale,
        normals=normals,
        uvs=np.concatenate([submesh.uvs for submesh in welded]),
        colors=colors,
        head_weights=turning,
        indices=tris.reshape(-1).astype(np.uint16),
        parts=_parts(welded),
        textures=tuple(textures),
        targets=targets,
        neck_pivot=(neck * scale).astype(np.float32),
        eye_pivots=(pivots * scale).astype(np.float32),
        frame_center=(center * scale).astype(np.float32),
        frame_height=float(height * scale),
        frame_width=float(width * scale),
    )


def _back_to_front(submesh: Submesh) -> tuple[bool, bool, float]:
    """Opaque parts first, then blended ones by the depth of their middle: later ones are drawn over earlier ones.

    What an eye reflects is drawn last, however little it stands off the iris.
    """
    if not submesh.alpha:
        return (False, False, 0.0)
    shines = not HIGHLIGHTS.isdisjoint(words(submesh.surface.name))
    return (True, shines, float(np.median(submesh.surface.positions[submesh.tris.ravel(), 2])))


def _parts(welded: list[WeldedSubmesh]) -> tuple[Part, ...]:
    """A run of triangles for each submesh. Adjacent runs with the same material and role are joined."""
    parts: list[Part] = []
    first = 0
    kinds: list[tuple[object, ...]] = []
    for submesh in welded:
        source, count = submesh.source, 3 * len(submesh.tris)
        kind = (*material_key(source), source.role)
        start = first
        if kinds and kinds[-1] == kind:
            last = parts.pop()
            start, count = last.first_index, last.index_count + count
        else:
            kinds.append(kind)
        parts.append(
            Part(
                name=" ".join(source.surface.name.split())[:80] or source.role,
                first_index=start,
                index_count=count,
                role=source.role,
                texture=source.texture,
                specular=source.specular,
                gloss=source.gloss,
                alpha=source.alpha,
                double_sided=source.double_sided,
                masked=source.masked,
            )
        )
        first = start + count
    return tuple(parts)


def _targets(
    welded: list[WeldedSubmesh],
    starts: NDArray[np.int64],
    positions: Floats,
    normals: Floats,
    tris: NDArray[np.int64],
    matches: Matches,
    gains: dict[str, float],
    figure: Figure,
) -> list[MorphTarget]:
    """The morph targets that move anything. positions in metres."""
    smooth = geometry.smooth_groups(positions, normals)
    rest = geometry.vertex_normals(positions, tris, smooth)
    targets = []
    for shape in ARKIT_SHAPES:
        moves = _moves(shape, welded, starts, matches, figure) * np.float32(gains.get(shape, 1.0))
        if not moves.any():
            continue
        turns = geometry.vertex_normals(positions + moves, tris, smooth) - rest
        moved = (np.abs(moves).max(axis=1) > LEAST_MOVE_M) | (np.abs(turns).max(axis=1) > LEAST_TURN)
        index = np.nonzero(moved)[0]
        if len(index):
            targets.append(
                MorphTarget(name=shape, vertices=index.astype(np.uint16), positions=moves[index], normals=turns[index])
            )
    return targets


def _moves(
    shape: str, welded: list[WeldedSubmesh], starts: NDArray[np.int64], matches: Matches, figure: Figure
) -> Floats:
    """The displacement of every vertex in metres, float32 (V, 3)."""
    moves = np.zeros((int(starts[-1]), 3), dtype=np.float32)
    for target, weight, side in matches.get(shape, ()):
        for submesh, start in zip(welded, starts, strict=False):
            # The renderer turns eyeballs, so a target that turns them as well would turn them twice.
            turned = shape.startswith("eyeLook") and submesh.source.side != 0
            deltas = submesh.source.surface.targets.get(target)
            if deltas is not None and not turned:
                share = figures.half(submesh.positions, side, figure) * np.float32(weight * figure.scale)
                moves[start : start + len(share)] += deltas[submesh.vertices] * share[:, None]
    return moves


def _open(
    welded: list[WeldedSubmesh],
    starts: NDArray[np.int64],
    positions: Floats,
    normals: Floats,
    targets: tuple[MorphTarget, ...],
) -> Floats:
    """How open to the sky each vertex is, (V,), with a minimum for parts that move. positions in metres."""
    solid = [
        submesh.tris + start
        for submesh, start in zip(welded, starts, strict=False)
        if not submesh.source.alpha and not submesh.source.masked
    ]
    if not solid:
        return np.ones(len(positions), dtype=np.float32)
    visible = openness(positions, normals, np.concatenate(solid))
    least = np.full(len(positions), LEAST_OPEN_SKIN, dtype=np.float32)
    for target in targets:
        if target.name.startswith("eyeBlink"):
            least[target.vertices] = np.maximum(least[target.vertices], LEAST_OPEN_LID)
    for submesh, start in zip(welded, starts, strict=False):
        own = slice(int(start), int(start) + len(submesh.vertices))
        least[own] = np.maximum(least[own], LEAST_OPEN.get(submesh.source.role, 0.0))
        if submesh.source.material.unlit or submesh.source.alpha:
            visible[own] = 1 - OCCLUSION_OF_UNLIT * (1 - visible[own])
    opened: Floats = np.maximum(np.sqrt(visible), least)
    return opened


def _head_weights(welded: list[WeldedSubmesh], nodes: Nodes, bones: Anatomy, figure: Figure) -> Floats:
    """How far each vertex turns with the head, (V,): by the bones, or by height where they do not move the face."""
    head = descendants(nodes.parents, {bones.head}) if bones.head != -1 else np.zeros(len(nodes.parents), dtype=bool)
    neck = np.zeros(len(nodes.parents), dtype=bool)
    if bones.neck != -1:
        neck[bones.neck] = True
    by_bone = [
        submesh.source.surface.bones.share(head) + NECK_SHARE * submesh.source.surface.bones.share(neck & ~head)
        for submesh in welded
    ]
    faces = [share for submesh, share in zip(welded, by_bone, strict=True) if submesh.source.surface.targets]
    if not faces or float(np.concatenate(faces).mean()) < 0.4:
        return np.concatenate([figures.head_weights(figure, submesh.positions) for submesh in welded])
    shares = [share[submesh.vertices] for submesh, share in zip(welded, by_bone, strict=True)]
    clipped: Floats = np.clip(np.concatenate(shares), 0, 1).astype(np.float32)
    return clipped


def _pivots(
    welded: list[WeldedSubmesh], nodes: Nodes, bones: Anatomy, figure: Figure, positions: Floats
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The centres of the eyes, (2, 3), and the pivot of the head, (3,), in the file's units."""
    pivots = np.zeros((2, 3))
    for index, side in enumerate((1, -1)):
        own = [submesh.positions for submesh in welded if submesh.source.side == side]
        joint = None if bones.eyes[index] == -1 else nodes.worlds[bones.eyes[index]][:3, 3]
        if own:
            pivots[index] = _eye_center(np.concatenate(own).astype(np.float64), joint)
        elif joint is not None:
            pivots[index] = joint
    for joint_number in (bones.head, bones.neck):
        at = None if joint_number == -1 else nodes.worlds[joint_number][:3, 3]
        if at is not None and figure.chin - 0.6 * figure.head < at[1] < figure.crown - 0.3 * figure.head:
            return pivots, at
    return pivots, figures.neck_joint(figure, positions).astype(np.float64)


def _eye_center(cloud: NDArray[np.float64], joint: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """The centre of an eyeball: the joint inside it, else a least-squares sphere, else the centre of its box."""
    low, high = cloud.min(axis=0), cloud.max(axis=0)
    box, span = (low + high) / 2, float((high - low).max())
    if joint is not None and float(np.linalg.norm(joint - box)) < 0.5 * span:
        return joint
    fit, *_ = np.linalg.lstsq(
        np.c_[2 * (cloud - box), np.ones(len(cloud))], ((cloud - box) ** 2).sum(axis=1), rcond=None
    )
    center: NDArray[np.float64] = box + fit[:3]
    distance = np.linalg.norm(cloud - center, axis=1)
    round_enough = float(distance.std()) < 0.12 * max(float(distance.mean()), 1e-9)
    return center if round_enough and float(np.linalg.norm(fit[:3])) < 0.5 * span else box
