"""A piece: one connected bit of the avatar on its way into a part."""

from dataclasses import dataclass, field

import numpy as np

from generator.arrays import Floats, Ints, Mask


@dataclass(kw_only=True)
class Piece:
    """points (V, 3) cm, tris (F, 3), colors (V, 3) sRGB 0..255, uvs (V, 2), head_weights (V,).

    targets: name to displacement (V, 3). normals: given where they are not to be worked out from the triangles.
    occlusion: (V,) 0..1 where it is not to be baked. casts: whether the piece shades others.
    least_open: the darkest that its baked occlusion may get.
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
    """Quads of a (rows, columns) grid of points, row by row; closed joins the last column to the first."""
    wide = columns if closed else columns - 1
    r, c = np.meshgrid(np.arange(rows - 1), np.arange(wide), indexing="ij")
    n = (c + 1) % columns
    result: Ints = np.stack(
        [r * columns + c, r * columns + n, (r + 1) * columns + n, (r + 1) * columns + c], axis=-1
    ).reshape(-1, 4)
    return result


def keep_triangles(piece: Piece, keep: Mask) -> Piece:
    """The piece with only the triangles in the mask, and the vertices that these use."""
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
