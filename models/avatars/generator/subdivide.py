"""Catmull-Clark subdivision as one linear operator, which the neutral cage shares with every shape.

E. Catmull, J. Clark, "Recursively generated B-spline surfaces on arbitrary topological meshes", 1978; boundary edges
by the cubic B-spline rule.
"""

import numpy as np

from generator.arrays import Floats, Ints, Mask


def subdivide(values: Floats, quads: Ints) -> tuple[Floats, Ints]:
    """One subdivision step: from vertex values (V, K) and quads (F, 4) to the refined values and quads."""
    count, faces = len(values), len(quads)
    edge_of, edges, face_count = _edges(quads)
    face_points = values[quads].mean(axis=1)
    face_sum = np.zeros((len(edges), values.shape[1]), dtype=values.dtype)
    for side in range(4):
        np.add.at(face_sum, edge_of[:, side], face_points)
    ends = values[edges[:, 0]] + values[edges[:, 1]]
    open_edge = face_count == 1
    edge_points = np.where(open_edge[:, None], ends / 2, (ends + face_sum) / 4)

    moved = _vertex_points(values, quads, edges, face_points, open_edge)
    corner = np.arange(faces) + count + len(edges)
    around = edge_of + count
    refined = np.stack(
        [np.stack([quads[:, s], around[:, s], corner, around[:, s - 1]], axis=1) for s in range(4)], axis=1
    ).reshape(-1, 4)
    return np.concatenate([moved, edge_points, face_points]), refined


def operator(vertex_count: int, quads: Ints, levels: int) -> tuple[Floats, Ints]:
    """The matrix (refined vertices, cage vertices) of `levels` steps, and the refined quads."""
    matrix: Floats = np.eye(vertex_count, dtype=np.float64)
    for _ in range(levels):
        matrix, quads = subdivide(matrix, quads)
    return matrix, quads


def _edges(quads: Ints) -> tuple[Ints, Ints, Ints]:
    sides = np.stack([quads, np.roll(quads, -1, axis=1)], axis=2).reshape(-1, 2)
    edges, inverse, face_count = np.unique(np.sort(sides, axis=1), axis=0, return_inverse=True, return_counts=True)
    return inverse.reshape(len(quads), 4), edges, face_count


def _vertex_points(values: Floats, quads: Ints, edges: Ints, face_points: Floats, open_edge: Mask) -> Floats:
    count = len(values)
    valence = np.zeros(count)
    np.add.at(valence, edges.reshape(-1), 1)
    face_mean, face_valence = np.zeros_like(values), np.zeros(count)
    for side in range(4):
        np.add.at(face_mean, quads[:, side], face_points)
        np.add.at(face_valence, quads[:, side], 1)
    middle = (values[edges[:, 0]] + values[edges[:, 1]]) / 2
    edge_mean = np.zeros_like(values)
    for end in range(2):
        np.add.at(edge_mean, edges[:, end], middle)
    n = np.maximum(valence, 1)[:, None]
    inner = (face_mean / np.maximum(face_valence, 1)[:, None] + 2 * edge_mean / n + (n - 3) * values) / n

    rim_mean, rim_count = np.zeros_like(values), np.zeros(count)
    for end in range(2):
        np.add.at(rim_mean, edges[open_edge, end], middle[open_edge])
        np.add.at(rim_count, edges[open_edge, end], 1)
    on_rim = rim_count == 2
    rim = (rim_mean + 2 * values) / 4
    return np.where(on_rim[:, None], rim, inner)
