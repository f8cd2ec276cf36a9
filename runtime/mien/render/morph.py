"""Blend shapes on the CPU: sums the active morph targets in float32, in preallocated buffers.

Vertices are reordered: those that any target moves come first, sorted by height, so that the vertices of one target are
close together and can be added as one dense run. Vertices that never move come last and are uploaded once.

Left and right shapes mostly move together and share a run in that order. They are stored as one combined target plus
the right one for the difference: left L + right R = left (L + R) + (right - left) R.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.core.mesh import Mesh, MorphTarget
from mien.core.pose import CHANNEL_INDEX, Pose

Floats = NDArray[np.float32]
Range = tuple[int, int]

# Contributions that move no vertex by a tenth of a pixel (1280 pixels showing 40 cm) and tilt no normal by half a
# degree are skipped, so that an int8 model's noise around zero costs nothing.
MIN_SHIFT_M = 3e-5
MIN_TIP = 0.01
# A run at least this full is cheaper to add densely than by index.
DENSE_SHARE = 0.3
# Named after a side, but not symmetric pairs.
_OPPOSITES = frozenset({"jaw", "mouth", "eyeLookIn", "eyeLookOut"})
# mouthClose closes the lips over an open jaw: more of it than of jawOpen would make them intersect.
_MOUTH_CLOSE, _JAW_OPEN = CHANNEL_INDEX["mouthClose"], CHANNEL_INDEX["jawOpen"]


@dataclass(frozen=True, slots=True)
class _Packed:
    """A target ready to add. rows: (N, 6) deltas. first, last: the range of vertices touched.

    picked: the vertices of the rows; None if they are all of first..last. least: the weight below which the target is
    skipped.
    """

    least: float
    first: int
    last: int
    rows: Floats
    picked: NDArray[np.intp] | None


class Morpher:
    """Sums a mesh's targets. `vertices`: float32 (V, 6), position and normal, in the morpher's order.

    order: intp (V,), the mesh vertex of each row. moving: the number of rows that can change. Normals are not of unit
    length, because the shader normalizes them.
    """

    def __init__(self, mesh: Mesh) -> None:
        self.order, self.moving = _order(mesh)
        self.vertices: Floats = np.concatenate((mesh.positions, mesh.normals), axis=1)[self.order].astype(np.float32)
        rank = np.empty_like(self.order)
        rank[self.order] = np.arange(len(self.order))
        self.indices: NDArray[np.uint16] = rank[mesh.indices].astype(np.uint16)
        self._neutral = self.vertices[: self.moving].copy()
        shapes = _shapes(mesh)
        self._targets = [_pack(shape.deltas, rank) for shape in shapes]
        self._channels = np.array([shape.channel for shape in shapes], dtype=np.intp)
        # Unpaired shapes subtract nothing: they refer to their own channel, masked by `_is_beyond`.
        self._beyond = np.array([shape.channel if shape.beyond < 0 else shape.beyond for shape in shapes], np.intp)
        self._is_beyond = np.array([shape.beyond >= 0 for shape in shapes], dtype=np.float32)
        self._close = next((number for number, shape in enumerate(shapes) if shape.channel == _MOUTH_CLOSE), None)
        self._least = np.array([target.least for target in self._targets], dtype=np.float32)
        self._weights, self._wanted, self._size = (np.zeros(len(shapes), dtype=np.float32) for _ in range(3))
        longest = max((len(target.rows) for target in self._targets), default=0)
        scratch = np.zeros((longest, 6), dtype=np.float32)
        gather = np.zeros((longest, 6), dtype=np.float32)
        self._scratch = [scratch[: len(target.rows)] for target in self._targets]
        self._gather = [gather[: len(target.rows)] for target in self._targets]
        self._runs = [self.vertices[target.first : target.last] for target in self._targets]
        self._shown: Range = (0, 0)

    def update(self, pose: Pose) -> Range:
        """Morph `vertices` to a pose. Returns the range of rows that may have changed, (0, 0) for none."""
        self._weigh(pose)
        if np.array_equal(self._wanted, self._weights):
            return (0, 0)
        np.copyto(self._weights, self._wanted)
        before = self._shown
        first, last = before
        self.vertices[first:last] = self._neutral[first:last]
        self._shown = self._add_all()
        return join(before, self._shown)

    def _weigh(self, pose: Pose) -> None:
        np.take(pose, self._channels, out=self._wanted, mode="clip")
        np.take(pose, self._beyond, out=self._size, mode="clip")
        np.multiply(self._size, self._is_beyond, out=self._size)
        np.subtract(self._wanted, self._size, out=self._wanted)
        if self._close is not None:
            self._wanted[self._close] = min(pose[_MOUTH_CLOSE], pose[_JAW_OPEN])

    def _add_all(self) -> Range:
        np.abs(self._weights, out=self._size)
        shown: Range = (0, 0)
        for number in np.flatnonzero(self._size >= self._least).tolist():
            target, rows, weight = self._targets[number], self._scratch[number], self._weights[number]
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
    """The smallest range that covers both; empty ranges are ignored."""
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


@dataclass(frozen=True, slots=True)
class _Shape:
    """channel: of its weight. beyond: the channel whose weight is subtracted, -1 for none."""

    deltas: MorphTarget
    channel: int
    beyond: int = -1


def _shapes(mesh: Mesh) -> list[_Shape]:
    targets = {target.name: target for target in mesh.targets if target.name in CHANNEL_INDEX and len(target.vertices)}
    shapes = []
    for name, target in targets.items():
        stem = name.removesuffix("Left").removesuffix("Right")
        other = None if stem in _OPPOSITES else targets.get(stem + ("Right" if name.endswith("Left") else "Left"))
        if other is None or stem == name:
            shapes.append(_Shape(target, CHANNEL_INDEX[name]))
        elif name.endswith("Left"):
            shapes.append(_Shape(_sum(target, other), CHANNEL_INDEX[name]))
        else:
            shapes.append(_Shape(target, CHANNEL_INDEX[name], beyond=CHANNEL_INDEX[other.name]))
    return shapes


def _sum(one: MorphTarget, other: MorphTarget) -> MorphTarget:
    vertices = np.union1d(one.vertices, other.vertices)
    moved = np.zeros((2, len(vertices), 3), dtype=np.float32)
    for target in (one, other):
        at = np.searchsorted(vertices, target.vertices)
        moved[0, at] += target.positions
        moved[1, at] += target.normals
    return MorphTarget(name=one.name, vertices=vertices, positions=moved[0], normals=moved[1])


def _pack(target: MorphTarget, rank: NDArray[np.intp]) -> _Packed:
    where = rank[target.vertices]
    by_rank = np.argsort(where)
    where = where[by_rank]
    rows = np.concatenate((target.positions, target.normals), axis=1).astype(np.float32)[by_rank]
    first, last = int(where[0]), int(where[-1]) + 1
    least = _least_weight(target)
    if len(where) < DENSE_SHARE * (last - first):
        return _Packed(least, first, last, np.ascontiguousarray(rows), where)
    dense = np.zeros((last - first, 6), dtype=np.float32)
    dense[where - first] = rows
    return _Packed(least, first, last, dense, None)


def _least_weight(target: MorphTarget) -> float:
    furthest, tipped = (float(np.abs(deltas).max(initial=1e-9)) for deltas in (target.positions, target.normals))
    return min(MIN_SHIFT_M / furthest, MIN_TIP / tipped)
