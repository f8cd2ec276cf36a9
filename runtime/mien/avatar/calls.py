"""Few enough draw calls: pieces are made alike, a step at a time, where an avatar has too many kinds of them."""

from collections.abc import Callable
from typing import Final

import numpy as np

from mien.avatar.paint import Coat, Rgba, separate
from mien.avatar.pieces import Piece
from mien.avatar.sheet import sheet
from mien.core.mesh import Role

# The renderer promises at most 8, and the background is one of them.
MAX_KINDS: Final = 7


def paint(pieces: list[Piece], coats: list[Coat]) -> list[Rgba]:
    """The textures; sets the pieces' `texture` and UVs, and their looks where there would be too many draw calls."""
    for number, coat in enumerate(coats):
        for piece in coat.pieces:
            piece.texture = number
    if _kinds(pieces) > MAX_KINDS:
        _same_shine(pieces)
    if _kinds(pieces) <= MAX_KINDS:
        return separate(coats) if coats else []
    bare = any(piece.texture == -1 for piece in pieces)
    page, white = sheet(coats, bare)
    for piece in pieces:
        if piece.texture == -1:
            piece.texture = 0
            piece.uvs = np.tile(white, (len(piece.uvs), 1)).astype(np.float32)
    for step in _STEPS:
        if _kinds(pieces) > MAX_KINDS:
            step(pieces)
    return [page]


def _kinds(pieces: list[Piece]) -> int:
    return len({piece.likeness for piece in pieces})


def _same_shine(pieces: list[Piece]) -> None:
    """Pieces of one role shine as the largest of them does."""
    for group in _grouped(pieces, lambda piece: (piece.role, piece.alpha)):
        largest = max(group, key=lambda piece: len(piece.tris))
        for piece in group:
            piece.specular, piece.gloss = largest.specular, largest.gloss


def _same_sides(pieces: list[Piece]) -> None:
    for group in _grouped(pieces, lambda piece: (piece.role, piece.alpha, piece.masked)):
        for piece in group:
            piece.double_sided = any(other.double_sided for other in group)


def _one_veil(pieces: list[Piece]) -> None:
    """All that is blended in one call, and all that is cut out in another."""
    for group in _grouped(pieces, lambda piece: (piece.alpha, piece.masked)):
        if group[0].alpha or group[0].masked:
            role: Role = max(group, key=lambda piece: len(piece.tris)).role
            for piece in group:
                piece.role, piece.double_sided = role, True
            _same_shine(group)


def _other_as_cloth(pieces: list[Piece]) -> None:
    for piece in pieces:
        if piece.role == "other" and not piece.alpha and not piece.masked:
            piece.role = "cloth"
    _same_shine(pieces)
    _same_sides(pieces)


_STEPS: Final = (_same_sides, _one_veil, _other_as_cloth)


def _grouped(pieces: list[Piece], key: Callable[[Piece], tuple[object, ...]]) -> list[list[Piece]]:
    groups: dict[object, list[Piece]] = {}
    for piece in pieces:
        groups.setdefault(key(piece), []).append(piece)
    return list(groups.values())
