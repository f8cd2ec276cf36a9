"""Painted pieces put together into one mesh: in metres, with occlusion, weights, pivots and sparse targets."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar import figure as figures
from mien.avatar import geometry
from mien.avatar.anatomy import Anatomy
from mien.avatar.ao import openness
from mien.avatar.chunks import Chunk, chunks_of, colors_of, normals_of
from mien.avatar.figure import Figure
from mien.avatar.names import Matches
from mien.avatar.nodes import Nodes, below
from mien.avatar.pieces import Piece
from mien.core.mesh import Mesh, MorphTarget, Part
from mien.core.pose import ARKIT_SHAPES

Floats = NDArray[np.float32]
LEAST_MOVE_M: Final = 2e-5
LEAST_TURN: Final = 0.01
# The least that stays open: a mouth's inside is dark until it opens, lids unfold when they close, eyes turn.
LEAST_OPEN: Final = {"mouth": 0.45, "eye_left": 0.6, "eye_right": 0.6}
LEAST_OPEN_SKIN: Final = 0.3
LEAST_OPEN_LID: Final = 0.7
OCCLUSION_OF_PAINTED: Final = 0.35
NECK_SHARE: Final = 0.45


def assemble(
    name: str,
    pieces: list[Piece],
    textures: list[NDArray[np.uint8]],
    matches: Matches,
    nodes: Nodes,
    bones: Anatomy,
    figure: Figure,
) -> Mesh:
    """Raises AvatarError when there are more vertices than 16-bit indices reach."""
    chunks = chunks_of(sorted(pieces, key=lambda piece: piece.alpha), figure.scale)
    starts = np.cumsum([0, *(len(chunk.vertices) for chunk in chunks)])
    positions = np.concatenate([chunk.positions for chunk in chunks])
    normals = np.concatenate([normals_of(chunk, figure.scale) for chunk in chunks])
    tris = np.concatenate([chunk.tris + start for chunk, start in zip(chunks, starts, strict=False)])
    scale = np.float32(figure.scale)
    targets = tuple(_targets(chunks, starts, positions * scale, normals, tris, matches, figure))
    colors = np.concatenate([colors_of(chunk) for chunk in chunks])
    colors[:, 3] = np.rint(255 * _open(chunks, starts, positions * scale, normals, targets))
    center, height = figures.frame(figure, positions)
    pivots, neck = _pivots(chunks, nodes, bones, figure, positions)
    return Mesh(
        name=name,
        positions=positions * scale,
        normals=normals,
        uvs=np.concatenate([chunk.uvs for chunk in chunks]),
        colors=colors,
        head_weights=_head_weights(chunks, nodes, bones, figure),
        indices=tris.reshape(-1).astype(np.uint16),
        parts=_parts(chunks),
        textures=tuple(textures),
        targets=targets,
        neck_pivot=(neck * scale).astype(np.float32),
        eye_pivots=(pivots * scale).astype(np.float32),
        frame_center=(center * scale).astype(np.float32),
        frame_height=float(height * scale),
    )


def _parts(chunks: list[Chunk]) -> tuple[Part, ...]:
    """A run of triangles for each chunk; those that follow each other and look alike become one."""
    parts: list[Part] = []
    first = 0
    kinds: list[tuple[object, ...]] = []
    for chunk in chunks:
        piece, count = chunk.piece, 3 * len(chunk.tris)
        kind = (*piece.likeness, piece.role)
        start = first
        if kinds and kinds[-1] == kind:
            last = parts.pop()
            start, count = last.first_index, last.index_count + count
        else:
            kinds.append(kind)
        parts.append(
            Part(
                name=" ".join(piece.surface.name.split())[:80] or piece.role,
                first_index=start,
                index_count=count,
                role=piece.role,
                texture=piece.texture,
                specular=piece.specular,
                gloss=piece.gloss,
                alpha=piece.alpha,
                double_sided=piece.double_sided,
                masked=piece.masked,
            )
        )
        first = start + count
    return tuple(parts)


def _targets(
    chunks: list[Chunk],
    starts: NDArray[np.int64],
    positions: Floats,
    normals: Floats,
    tris: NDArray[np.int64],
    matches: Matches,
    figure: Figure,
) -> list[MorphTarget]:
    """positions in metres."""
    smooth = geometry.smooth_groups(positions, normals)
    rest = geometry.vertex_normals(positions, tris, smooth)
    targets = []
    for shape in ARKIT_SHAPES:
        moves = _moves(shape, chunks, starts, matches, figure)
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


def _moves(shape: str, chunks: list[Chunk], starts: NDArray[np.int64], matches: Matches, figure: Figure) -> Floats:
    """Deltas of every vertex in metres."""
    moves = np.zeros((int(starts[-1]), 3), dtype=np.float32)
    for target, weight, side in matches.get(shape, ()):
        for chunk, start in zip(chunks, starts, strict=False):
            # Eyeballs are turned by the renderer; a target that turns them too would do it twice.
            turned = shape.startswith("eyeLook") and chunk.piece.side != 0
            deltas = chunk.piece.surface.targets.get(target)
            if deltas is not None and not turned:
                share = figures.half(chunk.positions, side, figure) * np.float32(weight * figure.scale)
                moves[start : start + len(share)] += deltas[chunk.vertices] * share[:, None]
    return moves


def _open(
    chunks: list[Chunk], starts: NDArray[np.int64], positions: Floats, normals: Floats, targets: tuple[MorphTarget, ...]
) -> Floats:
    """How open to the sky each vertex is, (V,), with what moves kept from the dark. positions in metres."""
    solid = [
        chunk.tris + start
        for chunk, start in zip(chunks, starts, strict=False)
        if not chunk.piece.alpha and not chunk.piece.masked
    ]
    if not solid:
        return np.ones(len(positions), dtype=np.float32)
    seen = openness(positions, normals, np.concatenate(solid))
    least = np.full(len(positions), LEAST_OPEN_SKIN, dtype=np.float32)
    for target in targets:
        if target.name.startswith("eyeBlink"):
            least[target.vertices] = np.maximum(least[target.vertices], LEAST_OPEN_LID)
    for chunk, start in zip(chunks, starts, strict=False):
        own = slice(int(start), int(start) + len(chunk.vertices))
        least[own] = np.maximum(least[own], LEAST_OPEN.get(chunk.piece.role, 0.0))
        if chunk.piece.look.painted or chunk.piece.alpha:
            seen[own] = 1 - OCCLUSION_OF_PAINTED * (1 - seen[own])
    opened: Floats = np.maximum(np.sqrt(seen), least)
    return opened


def _head_weights(chunks: list[Chunk], nodes: Nodes, bones: Anatomy, figure: Figure) -> Floats:
    """By the head's and the neck's bones; by height where they move nothing of what the shapes move."""
    head = below(nodes.parents, {bones.head}) if bones.head != -1 else np.zeros(len(nodes.parents), dtype=bool)
    neck = np.zeros(len(nodes.parents), dtype=bool)
    if bones.neck != -1:
        neck[bones.neck] = True
    by_bone = [
        chunk.piece.surface.bones.share(head) + NECK_SHARE * chunk.piece.surface.bones.share(neck & ~head)
        for chunk in chunks
    ]
    faces = [share for chunk, share in zip(chunks, by_bone, strict=True) if chunk.piece.surface.targets]
    if not faces or float(np.concatenate(faces).mean()) < 0.4:
        return np.concatenate([figures.head_weights(figure, chunk.positions) for chunk in chunks])
    shares = [share[chunk.vertices] for chunk, share in zip(chunks, by_bone, strict=True)]
    clipped: Floats = np.clip(np.concatenate(shares), 0, 1).astype(np.float32)
    return clipped


def _pivots(
    chunks: list[Chunk], nodes: Nodes, bones: Anatomy, figure: Figure, positions: Floats
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The eyes' centres, (2, 3), and what the head turns about, (3,), in the file's units."""
    pivots = np.zeros((2, 3))
    for index, side in enumerate((1, -1)):
        own = [chunk.positions for chunk in chunks if chunk.piece.side == side]
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
    """The middle of the ball that the vertices lie on: the joint in it, else by least squares, else its box's."""
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
