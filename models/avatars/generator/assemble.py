"""Assembly of all pieces into one Mesh, in metres, with baked occlusion."""

from typing import Any

import numpy as np

from generator import (
    clothes,
    colors,
    earrings,
    ears,
    eyes,
    fabric,
    glasses,
    hair,
    hair_texture,
    lids,
    mouth,
    occlusion,
    paint,
    soft_texture,
    unwrap,
)
from generator.arrays import Floats, Ints, Pixels
from generator.look import Look
from generator.piece import Piece, keep_triangles
from generator.shapes import Shaper
from generator.skin import Skin, build_skin, triangles, vertex_normals
from mien.core.mesh import Mesh, MorphTarget, Part
from mien.core.pose import ARKIT_SHAPES

NECK_PIVOT = np.array([0.0, -11.0, -1.6])
# The camera's frame: from the chest to above the hair, with room for head motion.
FRAME_BOTTOM_Y, FRAME_TOP_Y, ROOM_ABOVE_HAIR = -20.1, 14.4, 1.0
# Light scatters through skin, so that no crease, the corners of the mouth least of all, is black.
LEAST_OPEN_SKIN = 0.24
LEAST_MOVE_CM, LEAST_TURN = 0.008, 0.02
# Steps below what is seen, so that files compress well: of positions and normals, of texture coordinates, and of a
# target's moves and turns as shares of its largest.
POSITION_STEP_M, NORMAL_STEP, UV_STEP = 2.0**-17, 2.0**-9, 2.0**-13
MOVE_STEPS, TURN_STEPS = 32767 / 16, 32767 / 256


def build_mesh(look: Look) -> Mesh:
    """Build the avatar of a look."""
    skin = build_skin(look.proportions)
    deltas = {name: skin.spread_delta(delta) for name, delta in Shaper(skin.cage, look.proportions).all().items()}
    hair_and_lids = hair_texture.texture(look), lids.texture(look)
    groups = _groups(look, skin, deltas, hair_and_lids)
    textures = (
        paint.skin_texture(look, skin),
        eyes.iris_texture(look),
        soft_texture.stacked(*hair_and_lids),
        fabric.texture(look),
    )
    return _merge(look, groups, textures, skin)


# The skin's specular is that of its moistest parts. The alpha of its texture scales it elsewhere.
PARTS: dict[str, dict[str, Any]] = {
    "skin": {"role": "skin", "texture": 0, "specular": 0.25, "gloss": 20.0},
    "mouth": {"role": "mouth", "specular": 0.25, "gloss": 40.0},
    "eye_left": {"role": "eye_left", "texture": 1, "specular": 0.95, "gloss": 160.0},
    "eye_right": {"role": "eye_right", "texture": 1, "specular": 0.95, "gloss": 160.0},
    "cloth": {"role": "cloth", "texture": 3, "specular": 0.03, "gloss": 8.0},
    "hair": {"role": "hair", "texture": 2, "specular": 0.20, "gloss": 22.0, "double_sided": True},
    "soft": {"role": "hair", "texture": 2, "specular": 0.20, "gloss": 22.0, "double_sided": True, "alpha": True},
}


def _groups(
    look: Look, skin: Skin, deltas: dict[str, Floats], hair_and_lids: tuple[Pixels, Pixels]
) -> dict[str, list[Piece]]:
    """The pieces of each of PARTS. hair_and_lids: their textures."""
    balls, sides = skin.cage.eyeballs, (1, -1)
    ear_pieces = [ears.ear(side, look) for side in sides] if look.hair_style not in hair.COVERS_EARS else []
    # Gold reflects like wet teeth, so both share a draw call.
    jewels = [earrings.earring(side, look) for side in sides] if look.earrings else []
    jewels += glasses.glasses(look) if look.glasses else []
    groups = {
        "skin": [_skin_piece(look, skin, deltas), *ear_pieces],
        "mouth": [*mouth.inside(skin, deltas), *jewels],
        "eye_left": [eyes.eyeball(balls[1], look)],
        "eye_right": [eyes.eyeball(balls[-1], look)],
        "cloth": clothes.clothes(look, skin.sculpt),
        "hair": soft_texture.hair_placed(hair.solid(look, skin.sculpt)),
        "soft": _soft(look, skin, deltas, hair_and_lids),
    }
    groups["skin"] = _without_hidden(groups)
    groups["cloth"] = _front(groups["cloth"])
    return {name: group for name, group in groups.items() if group}


def _soft(look: Look, skin: Skin, deltas: dict[str, Floats], hair_and_lids: tuple[Pixels, Pixels]) -> list[Piece]:
    """The translucent pieces, from the eyes outwards: strands may hang over lashes, never the reverse."""
    sides = (1, -1)
    of_lids = [
        *(lids.shadow(skin, side, deltas) for side in sides),
        *(lids.lashes(skin, side, look, deltas) for side in sides),
    ]
    placed = soft_texture.lids_placed(of_lids, *hair_and_lids)
    return [*placed, *soft_texture.hair_placed(hair.soft(look, skin.sculpt))]


def _without_hidden(groups: dict[str, list[Piece]]) -> list[Piece]:
    """The skin pieces without triangles that hair and clothes hide. The face is kept, because it moves."""
    casting = [piece for group in groups.values() for piece in group if piece.casts]
    starts = np.cumsum([0, *(len(piece.points) for piece in casting)])
    points = np.concatenate([piece.points for piece in casting])
    tris = np.concatenate([piece.tris + start for piece, start in zip(casting, starts, strict=False)])
    normals = np.concatenate([_normals(piece) for piece in casting])
    seen = occlusion.seen(points, normals, tris)
    kept = []
    for number, piece in enumerate(casting[: len(groups["skin"])]):
        mask = seen[starts[number] : starts[number + 1]]
        _, y, z = piece.points.T
        mask |= (y > -12.5) & (y < 5.0) & (z > 2.0)
        ring = np.zeros(len(mask), dtype=bool)
        ring[piece.tris[mask[piece.tris].any(axis=1)]] = True
        # Only the head has large hidden areas. Half of an ear would vanish, with a ragged edge.
        keep = ring[piece.tris].any(axis=1) | (number > 0)
        kept.append(keep_triangles(piece, keep))
    return kept


def _front(pieces: list[Piece]) -> list[Piece]:
    """The triangles of clothes that a camera in front can see; clothes never turn."""
    points, tris = _joined(pieces)
    normals = np.concatenate([_normals(piece) for piece in pieces])
    seen = occlusion.seen(points, normals, tris, turn_degrees=14.0)
    kept, start = [], 0
    for piece in pieces:
        mask = seen[start : start + len(piece.points)]
        start += len(piece.points)
        ring = np.zeros(len(mask), dtype=bool)
        ring[piece.tris[mask[piece.tris].any(axis=1)]] = True
        kept.append(keep_triangles(piece, ring[piece.tris].any(axis=1)))
    return kept


def _joined(pieces: list[Piece]) -> tuple[Floats, Ints]:
    starts = np.cumsum([0, *(len(piece.points) for piece in pieces)])
    tris = [piece.tris + start for piece, start in zip(pieces, starts, strict=False)]
    return np.concatenate([piece.points for piece in pieces]), np.concatenate(tris)


def _skin_piece(look: Look, skin: Skin, deltas: dict[str, Floats]) -> Piece:
    weights = np.clip(skin.spread(skin.cage.head_weights), 0, 1)
    return Piece(
        points=skin.points,
        tris=triangles(skin.quads),
        colors=colors.skin_colors(skin, look),
        uvs=unwrap.uvs(skin.points),
        head_weights=weights,
        targets=deltas,
        least_open=LEAST_OPEN_SKIN,
    )


def _merge(look: Look, groups: dict[str, list[Piece]], textures: tuple[Pixels, ...], skin: Skin) -> Mesh:
    pieces = [piece for group in groups.values() for piece in group]
    starts = np.cumsum([0, *(len(piece.points) for piece in pieces)])
    points = np.concatenate([piece.points for piece in pieces])
    tris = np.concatenate([piece.tris + start for piece, start in zip(pieces, starts, strict=False)])
    normals = np.concatenate([_normals(piece) for piece in pieces])
    weights = np.concatenate([piece.head_weights for piece in pieces])
    ao = _occlusion(pieces, starts, points, normals, tris)
    rgba = np.column_stack([np.concatenate([piece.colors for piece in pieces]), ao * 255])
    balls = skin.cage.eyeballs
    return Mesh(
        name=look.name,
        positions=_stepped(points / 100, POSITION_STEP_M),
        normals=_stepped(normals, NORMAL_STEP),
        uvs=_stepped(np.concatenate([piece.uvs for piece in pieces]), UV_STEP),
        colors=np.clip(np.rint(rgba), 0, 255).astype(np.uint8),
        head_weights=_f32(np.clip(weights, 0, 1)),
        indices=tris.reshape(-1).astype(np.uint16),
        parts=_parts(groups),
        textures=textures,
        targets=tuple(_targets(pieces, starts, normals)),
        neck_pivot=_f32(NECK_PIVOT / 100),
        eye_pivots=_f32(np.stack([balls[1].center, balls[-1].center]) / 100),
        **framing(float(points[:, 1].max())),
    )


def framing(highest: float) -> dict[str, Any]:
    """frame_center and frame_height for an avatar whose highest point is at y = `highest` cm."""
    top = max(FRAME_TOP_Y, float(np.ceil(2 * (highest + ROOM_ABOVE_HAIR))) / 2)
    center = np.array([0.0, (FRAME_BOTTOM_Y + top) / 2, 0.0])
    return {"frame_center": _f32(center / 100), "frame_height": (top - FRAME_BOTTOM_Y) / 100}


def _f32(array: Floats) -> Floats:
    return np.ascontiguousarray(array, dtype=np.float32)


def _stepped(array: Floats, step: float) -> Floats:
    return _f32(np.rint(array / step) * step)


def _in_steps(deltas: Floats, steps: float) -> Floats:
    """Deltas as multiples of a share of the largest one."""
    return _stepped(deltas, float(np.abs(deltas).max(initial=0.0)) / steps or 1.0)


def _normals(piece: Piece) -> Floats:
    return vertex_normals(piece.points, piece.tris) if piece.normals is None else piece.normals


def _parts(groups: dict[str, list[Piece]]) -> tuple[Part, ...]:
    parts, first = [], 0
    for name, group in groups.items():
        count = sum(piece.tris.size for piece in group)
        parts.append(Part(name=name, first_index=first, index_count=count, **PARTS[name]))
        first += count
    return tuple(parts)


def _occlusion(pieces: list[Piece], starts: Ints, points: Floats, normals: Floats, tris: Ints) -> Floats:
    casting = np.concatenate([np.full(len(piece.tris), piece.casts) for piece in pieces])
    ao = occlusion.bake(points, normals, tris[casting])
    ao = occlusion.smooth_over(np.clip(ao * 1.12, 0, 1) ** 1.5, tris)
    for piece, start in zip(pieces, starts, strict=False):
        own = slice(start, start + len(piece.points))
        ao[own] = np.maximum(ao[own], piece.least_open) if piece.occlusion is None else piece.occlusion
    return 0.12 + 0.88 * np.clip(ao, 0, 1)


def _targets(pieces: list[Piece], starts: Ints, normals: Floats) -> list[MorphTarget]:
    targets = []
    for name in (*ARKIT_SHAPES, "breath"):
        moves, turns = np.zeros_like(normals), np.zeros_like(normals)
        for piece, start in zip(pieces, starts, strict=False):
            if name in piece.targets:
                part = slice(start, start + len(piece.points))
                moves[part] = piece.targets[name]
                turns[part] = vertex_normals(piece.points + moves[part], piece.tris) - vertex_normals(
                    piece.points, piece.tris
                )
        moved = (np.abs(moves).max(axis=1) > LEAST_MOVE_CM) | (np.abs(turns).max(axis=1) > LEAST_TURN)
        index = np.nonzero(moved)[0]
        targets.append(
            MorphTarget(
                name=name,
                vertices=index.astype(np.uint16),
                positions=_in_steps(moves[index] / 100, MOVE_STEPS),
                normals=_in_steps(turns[index], TURN_STEPS),
            )
        )
    return targets
