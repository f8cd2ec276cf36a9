"""Array geometry: welding, vertex normals, simplification."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
# Normals are compared at this resolution, so that a texture seam is not taken for a hard edge.
NORMAL_STEPS: Final = 12


def unique_rows(columns: list[NDArray[np.float32]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The indices of the distinct rows of all columns side by side, and for each row the number of its distinct row."""
    rows = np.ascontiguousarray(np.concatenate(columns, axis=1)) + np.float32(0)  # -0 becomes 0
    keys = rows.view([("", rows.dtype)] * rows.shape[1])[:, 0]
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return first, inverse.reshape(-1)


def smooth_groups(positions: Floats, normals: Floats) -> NDArray[np.int64]:
    """A group number for each vertex; vertices with the same position and normal share one. positions in metres."""
    keys = np.concatenate([np.rint(positions * 2e4), np.rint(normals * NORMAL_STEPS)], axis=1).astype(np.int64)
    return np.asarray(np.unique(keys, axis=0, return_inverse=True)[1], dtype=np.int64).reshape(-1)


def places(positions: Floats) -> NDArray[np.int64]:
    """A group number for each vertex; vertices with the same position share one. positions in metres."""
    keys = np.rint(positions * 2e4).astype(np.int64)
    return np.asarray(np.unique(keys, axis=0, return_inverse=True)[1], dtype=np.int64).reshape(-1)


def vertex_normals(positions: Floats, tris: NDArray[np.int64], groups: NDArray[np.int64]) -> Floats:
    """Area-weighted normals (V, 3), smooth across the vertices of a group."""
    a, b, c = (positions[tris[:, k]].astype(np.float64) for k in range(3))
    face = np.cross(b - a, c - a)
    count = int(groups.max(initial=-1)) + 1
    at = groups[tris]
    total = np.stack([sum(np.bincount(at[:, k], face[:, axis], count) for k in range(3)) for axis in range(3)], axis=1)
    length = np.linalg.norm(total, axis=1, keepdims=True)
    total = np.where(length > 1e-18, total / np.maximum(length, 1e-18), (0.0, 0.0, 1.0))
    return total[groups].astype(np.float32)


def clustered(
    positions: Floats, tris: NDArray[np.int64], cell: float, keep: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Simplify a mesh by vertex clustering: one vertex for each cube of side `cell`, except for those to `keep`.

    Returns the remaining vertices and the triangles (F, 3) that index them, without degenerate ones.
    """
    cells = np.floor((positions - positions.min(axis=0)) / cell).astype(np.int64)
    alone = np.where(keep, np.arange(len(positions)) + 1, 0)
    keys = np.concatenate([cells * ~keep[:, None], alone[:, None]], axis=1)
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    thin = inverse.reshape(-1)[tris]
    whole = (thin[:, 0] != thin[:, 1]) & (thin[:, 1] != thin[:, 2]) & (thin[:, 0] != thin[:, 2])
    used, flat = np.unique(thin[whole], return_inverse=True)
    return first[used], flat.reshape(-1, 3)
