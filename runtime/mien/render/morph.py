"""Blend shapes on the CPU: the active targets are added up in float32, in buffers that are made once.

Vertices are put into an order of the morpher's own: those that any target moves first, by height, so that what one
target moves lies close together and is added as one dense run; those that never move come last and are uploaded once.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.core.mesh import Mesh, MorphTarget
from mien.core.pose import CHANNEL_INDEX, Pose

Floats = NDArray[np.float32]
Range = tuple[int, int]

# Below this a target moves no vertex by a pixel (a shape moves at most about 3 cm: 0.09 mm), and an int8 model's noise
# round zero costs nothing.
MIN_WEIGHT = 0.003
# A run this full is cheaper added whole than picked apart.
DENSE_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class _Packed:
    """A target ready to add. rows: (N, 6) deltas. first, last: the range of vertices touched.

    picked: which vertices the rows belong to; None when they are all of first..last.
    """

    channel: int
    first: int
    last: int
    rows: Floats
    picked: NDArray[np.intp] | None


class Morpher:
    """Adds up a mesh's targets. `vertices`: float32 (V, 6), position and normal, in the morpher's order.

    order: intp (V,), which vertex of the mesh each row is. moving: how many rows can ever change.
    The normals are not of unit length: the shader normalizes.
    """

    def __init__(self, mesh: Mesh) -> None:
        self.order, self.moving = _order(mesh)
        self.vertices: Floats = np.concatenate((mesh.positions, mesh.normals), axis=1)[self.order].astype(np.float32)
        rank = np.empty_like(self.order)
        rank[self.order] = np.arange(len(self.order))
        self.indices: NDArray[np.uint16] = rank[mesh.indices].astype(np.uint16)
        self._neutral = self.vertices[: self.moving].copy()
        self._targets = [
            _pack(target, rank) for target in mesh.targets if target.name in CHANNEL_INDEX and len(target.vertices)
        ]
        self._channels = np.array([target.channel for target in self._targets], dtype=np.intp)
        self._weights = np.zeros(len(self._targets), dtype=np.float32)
        self._wanted = np.zeros(len(self._targets), dtype=np.float32)
        longest = max((len(target.rows) for target in self._targets), default=0)
        scratch = np.zeros((longest, 6), dtype=np.float32)
        gather = np.zeros((longest, 6), dtype=np.float32)
        self._scratch = [scratch[: len(target.rows)] for target in self._targets]
        self._gather = [gather[: len(target.rows)] for target in self._targets]
        self._runs = [self.vertices[target.first : target.last] for target in self._targets]
        self._shown: Range = (0, 0)

    def update(self, pose: Pose) -> Range:
        """Morph `vertices` to a pose. Returns the rows that may have changed, (0, 0) when none did."""
        np.take(pose, self._channels, out=self._wanted, mode="clip")
        if np.array_equal(self._wanted, self._weights):
            return (0, 0)
        np.copyto(self._weights, self._wanted)
        before = self._shown
        first, last = before
        self.vertices[first:last] = self._neutral[first:last]
        self._shown = self._add_all(self._weights.tolist())
        return join(before, self._shown)

    def _add_all(self, weights: list[float]) -> Range:
        shown: Range = (0, 0)
        for number, weight in enumerate(weights):
            if abs(weight) < MIN_WEIGHT:
                continue
            target, rows = self._targets[number], self._scratch[number]
            np.multiply(target.rows, weight, out=rows)
            if target.picked is None:
                run = self._runs[number]
                np.add(run, rows, out=run)
            else:
                gathered = self._gather[number]
                np.take(self.vertices, target.picked, axis=0, out=gathered, mode="clip")
                np.add(gathered, rows, out=gathered)
                self.vertices[target.picked] = gathered
            shown = join(shown, (target.first, target.last))
        return shown


def join(one: Range, other: Range) -> Range:
    """The smallest range that covers both; an empty range covers nothing."""
    if one[0] == one[1]:
        return other
    if other[0] == other[1]:
        return one
    return (min(one[0], other[0]), max(one[1], other[1]))


def _order(mesh: Mesh) -> tuple[NDArray[np.intp], int]:
    moved = np.zeros(len(mesh.positions), dtype=bool)
    for target in mesh.targets:
        moved[target.vertices] = True
    order = np.lexsort((mesh.positions[:, 1], ~moved))
    return order, int(moved.sum())


def _pack(target: MorphTarget, rank: NDArray[np.intp]) -> _Packed:
    where = rank[target.vertices]
    by_rank = np.argsort(where)
    where = where[by_rank]
    rows = np.concatenate((target.positions, target.normals), axis=1).astype(np.float32)[by_rank]
    first, last = int(where[0]), int(where[-1]) + 1
    channel = CHANNEL_INDEX[target.name]
    if len(where) < DENSE_SHARE * (last - first):
        return _Packed(channel, first, last, np.ascontiguousarray(rows), where)
    dense = np.zeros((last - first, 6), dtype=np.float32)
    dense[where - first] = rows
    return _Packed(channel, first, last, dense, None)
