"""The skin: the cage, fitted to interpolate its control points, subdivided and projected onto the sculpt."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from generator.arrays import Floats, Ints
from generator.cage import Cage, build_cage
from generator.look import Proportions
from generator.sculpt import Sculpt
from generator.subdivide import operator

LEVELS = 2


@dataclass
class Skin:
    """The refined skin. matrix: (V, cage points). points, quads: neutral."""

    cage: Cage
    matrix: Floats
    points: Floats
    quads: Ints
    sculpt: Sculpt

    @cached_property
    def neighbours(self) -> list[set[int]]:
        """The neighbours of each vertex."""
        table: list[set[int]] = [set() for _ in range(len(self.points))]
        for quad in self.quads.tolist():
            for a, b in zip(quad, [*quad[1:], quad[0]], strict=True):
                table[a].add(b)
                table[b].add(a)
        return table

    def spread(self, values: Floats) -> Floats:
        """Map values on the cage to the refined skin."""
        return self.matrix @ values

    def spread_delta(self, delta: Floats) -> Floats:
        """Map the displacements of a shape from the cage to the refined skin, at their full extent."""
        return self.matrix @ fit(self.matrix, delta)


def fit(matrix: Floats, wanted: Floats, rounds: int = 6) -> Floats:
    """The cage whose refinement passes through `wanted` at the vertices of the cage."""
    at_cage, values = matrix[: len(wanted)], wanted.copy()
    for _ in range(rounds):
        values += 0.7 * (wanted - at_cage @ values)
    return values


def build_skin(p: Proportions) -> Skin:
    cage, sculpt = build_cage(p), Sculpt(p)
    matrix, quads = operator(len(cage.points), cage.quads, LEVELS)
    points = matrix @ fit(matrix, cage.points)
    weight = np.clip((matrix @ cage.detail - 0.35) / 0.65, 0, 1)[:, None]
    points += weight * (sculpt.project(points) - points)
    return Skin(cage, matrix, points, quads, sculpt)


def triangles(quads: Ints) -> Ints:
    """Split each quad into two triangles."""
    return np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])


def vertex_normals(points: Floats, tris: Ints) -> Floats:
    """Area-weighted unit normals."""
    face = np.cross(points[tris[:, 1]] - points[tris[:, 0]], points[tris[:, 2]] - points[tris[:, 0]])
    normals = np.stack(
        [sum(np.bincount(tris[:, c], face[:, axis], len(points)) for c in range(3)) for axis in range(3)], axis=1
    )
    result: Floats = normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    return result
