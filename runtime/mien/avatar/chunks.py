"""The vertices that one piece needs: welded, thinned where the avatar has too many, with normals and colours."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar import geometry
from mien.avatar.pieces import Piece
from mien.errors import AvatarError

Floats = NDArray[np.float32]
MAX_VERTICES: Final = 65_535
FIRST_CELL_M, FULL_CELL_M, LAST_CELL_M, CELL_GROWTH = 0.0012, 0.005, 0.012, 1.35


@dataclass(kw_only=True)
class Chunk:
    """vertices: (N,), of piece.surface. tris: (F, 3), of them."""

    piece: Piece
    vertices: NDArray[np.int64]
    tris: NDArray[np.int64]

    @property
    def positions(self) -> Floats:
        """(N, 3)."""
        return self.piece.surface.positions[self.vertices]

    @property
    def uvs(self) -> Floats:
        """(N, 2); far repetitions are brought near, for the sake of half floats in a fragment shader."""
        return np.clip(self.piece.uvs[self.vertices], -64, 64)


def chunks_of(pieces: list[Piece], scale: float) -> list[Chunk]:
    """Welded, and thinned until 16-bit indices reach all of them. Raises AvatarError when that does not help."""
    chunks = [_welded(piece) for piece in pieces]
    cell = FIRST_CELL_M / scale
    while sum(len(chunk.vertices) for chunk in chunks) > MAX_VERTICES:
        if cell * scale > LAST_CELL_M:
            total = sum(len(chunk.vertices) for chunk in chunks)
            raise AvatarError(f"{total} vertices on head and shoulders; at most {MAX_VERTICES} can be drawn. Reduce it")
        largest = sorted(chunks, key=lambda chunk: (bool(chunk.piece.surface.targets), -len(chunk.vertices)))
        for chunk in largest:
            if sum(len(other.vertices) for other in chunks) > MAX_VERTICES:
                _thin(chunk, cell, scale)
        cell *= CELL_GROWTH
    return [chunk for chunk in chunks if len(chunk.tris)]


def normals_of(chunk: Chunk, scale: float) -> Floats:
    """The file's normals, or smooth ones where it has none."""
    given = chunk.piece.surface.normals
    computed = geometry.vertex_normals(chunk.positions, chunk.tris, geometry.places(chunk.positions * scale))
    if given is None:
        return computed
    normals = given[chunk.vertices]
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.where(length > 0.1, normals / np.maximum(length, 0.1), computed).astype(np.float32)


def colors_of(chunk: Chunk) -> NDArray[np.uint8]:
    """uint8 (N, 4), sRGB paint, alpha 255."""
    surface = chunk.piece.surface
    linear = np.tile(np.array(surface.look.factor[:3]), (len(chunk.vertices), 1))
    if surface.colors is not None:
        linear = linear * surface.colors[chunk.vertices]
    linear = np.clip(linear, 0, 1)
    srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 1e-6) ** (1 / 2.4) - 0.055)
    rgba = np.full((len(chunk.vertices), 4), 255, dtype=np.uint8)
    rgba[:, :3] = np.rint(srgb * 255)
    return rgba


def _welded(piece: Piece) -> Chunk:
    """Vertices that agree in everything become one."""
    surface = piece.surface
    used, flat = np.unique(piece.tris, return_inverse=True)
    columns = [surface.positions[used], piece.uvs[used]]
    if surface.normals is not None:
        columns.append(surface.normals[used])
    if surface.colors is not None:
        columns.append(surface.colors[used])
    columns += [deltas[used] for deltas in surface.targets.values() if deltas[used].any()]
    first, inverse = geometry.unique_rows(columns)
    tris = inverse[flat.reshape(-1, 3)]
    whole = (tris[:, 0] != tris[:, 1]) & (tris[:, 1] != tris[:, 2]) & (tris[:, 0] != tris[:, 2])
    return Chunk(piece=piece, vertices=used[first], tris=tris[whole])


def _thin(chunk: Chunk, cell: float, scale: float) -> None:
    # Lips and lids are the last to lose detail; where even that must be, all of the figure is thinned alike.
    keep = _moves(chunk) if cell * scale < FULL_CELL_M else np.zeros(len(chunk.vertices), dtype=bool)
    left, chunk.tris = geometry.clustered(chunk.positions, chunk.tris, cell, keep)
    chunk.vertices = chunk.vertices[left]


def _moves(chunk: Chunk) -> NDArray[np.bool_]:
    moved = np.zeros(len(chunk.vertices), dtype=bool)
    for deltas in chunk.piece.surface.targets.values():
        moved |= deltas[chunk.vertices].any(axis=1)
    return moved
