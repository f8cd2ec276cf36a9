"""Pieces: the connected meshes that are joined into parts."""

from dataclasses import dataclass, field

import numpy as np

from generator.arrays import Floats, Ints, Mask


@dataclass(kw_only=True)
class Piece:
    """points (V, 3) cm, tris (F, 3), colors (V, 3) sRGB 0..255, uvs (V, 2), head_weights (V,).

    targets: from a name to displacements (V, 3). normals: None to compute them from the triangles.
    occlusion: (V,) 0..1, None to bake it. casts: whether the piece occludes others. least_open: the lower limit of its
    baked openness.
    """

    points: Floats
    tris: Ints
    colors: Floats
    uvs: Floats | None = None
    head_weights: Floats | None = None
    targets: dict[str, Floats] = field(default_factory=dict)
    normals: Floats | None = None
    occlusion: Floats | None = None
    casts: bool = True
    least_open: float = 0.0

    def __post_init__(self) -> None:
        count = len(self.points)
        self.colors = np.broadcast_to(np.asarray(self.colors, dtype=float), (count, 3)).copy()
        if self.uvs is None:
            self.uvs = np.zeros((count, 2))
        if self.head_weights is None:
            self.head_weights = np.ones(count)


def grid_quads(rows: int, columns: int, closed: bool = False) -> Ints:
    """The quads of a (rows, columns) grid of points, row by row. closed: join the last column to the first."""
    wide = columns if closed else columns - 1
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(wide), indexing="ij")
    n = (c + 1) % columns
    result: Ints = np.stack(
        [r * columns + c, r * columns + n, (r + 1) * columns + n, (r + 1) * columns + c], axis=-1
    ).reshape(-1, 4)
    return result


def keep_triangles(piece: Piece, keep: Mask) -> Piece:
    """The piece reduced to the triangles in the mask and the vertices that they use."""
    tris = piece.tris[keep]
    used, flat = np.unique(tris, return_inverse=True)

    def pick(array: Floats | None) -> Floats | None:
        return None if array is None else array[used]

    return Piece(
        points=piece.points[used],
        tris=flat.reshape(-1, 3),
        colors=piece.colors[used],
        uvs=pick(piece.uvs),
        head_weights=pick(piece.head_weights),
        targets={name: delta[used] for name, delta in piece.targets.items()},
        normals=pick(piece.normals),
        occlusion=pick(piece.occlusion),
        casts=piece.casts,
        least_open=piece.least_open,
    )
