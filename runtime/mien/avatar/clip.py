"""Surfaces cut by planes, cleanly: triangles across a plane are divided, so that no edge is ragged."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.avatar.scene import Surface
from mien.avatar.skin import Bones


def clip(surface: Surface, normal: tuple[float, float, float], distance: float) -> Surface | None:
    """What of a surface lies where normal . x >= distance; None when nothing does."""
    height = surface.positions @ np.array(normal, dtype=np.float32) - np.float32(distance)
    inside = (height >= 0)[surface.tris]
    count = inside.sum(axis=1)
    if not count.any():
        return None
    if (count == 3).all():
        return surface
    edges = _Edges(height)
    one, two = surface.tris[count == 1], surface.tris[count == 2]
    tris = [surface.tris[count == 3]]
    if len(one):
        a, b, c = _rolled(one, inside[count == 1].argmax(axis=1))
        tris.append(np.stack([a, edges.cut(a, b), edges.cut(a, c)], axis=1))
    if len(two):
        # c is the corner outside.
        c, a, b = _rolled(two, inside[count == 2].argmin(axis=1))
        bc, ca = edges.cut(b, c), edges.cut(a, c)
        tris += [np.stack([a, b, bc], axis=1), np.stack([a, bc, ca], axis=1)]
    return edges.extended(surface, np.concatenate(tris))


def _rolled(tris: NDArray[np.int64], first: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    rows = np.arange(len(tris))
    return tuple(tris[rows, (first + k) % 3] for k in range(3))


class _Edges:
    """The vertices that a plane adds, one on each edge that it cuts."""

    def __init__(self, height: NDArray[np.float32]) -> None:
        self._height = height
        self._pairs: list[NDArray[np.int64]] = []
        self._count = len(height)

    def cut(self, kept: NDArray[np.int64], lost: NDArray[np.int64]) -> NDArray[np.int64]:
        """Numbers of new vertices between a vertex inside and one outside, for each pair."""
        self._pairs.append(np.stack([kept, lost], axis=1))
        start = self._count
        self._count += len(kept)
        return np.arange(start, self._count)

    def extended(self, surface: Surface, tris: NDArray[np.int64]) -> Surface:
        """The surface with the new vertices, made of `tris`, without what they do not use."""
        pairs = np.concatenate(self._pairs) if self._pairs else np.zeros((0, 2), dtype=np.int64)
        kept, lost = pairs[:, 0], pairs[:, 1]
        unique, back = np.unique(pairs, axis=0, return_inverse=True) if len(pairs) else (pairs, pairs[:, 0])
        count = len(self._height)
        lookup = np.concatenate([np.arange(count), count + back.reshape(-1)])
        kept, lost = unique[:, 0], unique[:, 1]
        high, low = self._height[kept], self._height[lost]
        at = (high / np.maximum(high - low, 1e-12)).astype(np.float32)[:, None]
        used, flat = np.unique(lookup[tris], return_inverse=True)

        def lengthened(rows: NDArray[Any]) -> NDArray[Any]:
            longer: NDArray[Any] = np.concatenate([rows, rows[kept] + (rows[lost] - rows[kept]) * at])[used]
            return longer

        nodes = np.concatenate([surface.bones.nodes, surface.bones.nodes[kept]])[used]
        weights = np.concatenate([surface.bones.weights, surface.bones.weights[kept]])[used]
        return replace(
            surface,
            positions=lengthened(surface.positions),
            normals=None if surface.normals is None else lengthened(surface.normals),
            uvs=lengthened(surface.uvs),
            colors=None if surface.colors is None else lengthened(surface.colors),
            tris=flat.reshape(-1, 3),
            bones=Bones(nodes=nodes, weights=weights),
            targets={name: lengthened(deltas) for name, deltas in surface.targets.items()},
        )
