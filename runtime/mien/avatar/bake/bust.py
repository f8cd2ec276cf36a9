"""The bust: a figure cropped below its shoulders, or given shoulders in a dark pullover where it has none."""

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.bake import figure as figures
from mien.avatar.bake.figure import Figure
from mien.avatar.gltf.materials import Material
from mien.avatar.gltf.scene import Surface
from mien.avatar.gltf.skin import Bones

# A figure that ends less than this far below the chin, in heads, has no shoulders.
NO_SHOULDERS: Final = 0.62
SEGMENTS: Final = 48
# Rings of a pullover with a round collar, from the inside of the collar down: (height, 0 at the collar's edge and 1 at
# the end of the bust; size, 0 at the neck and 1 at the shoulders).
PROFILE: Final = (
    (0.035, -0.10), (0.0, -0.03), (-0.004, 0.005), (0.006, 0.035), (0.03, 0.05), (0.06, 0.06), (0.085, 0.10),
    (0.12, 0.24), (0.17, 0.46), (0.23, 0.68), (0.31, 0.86), (0.42, 0.97), (0.6, 1.0), (1.0, 1.02),
)  # fmt: skip
SHOULDERS: Final = (0.92, 0.46)  # half width and half depth, in heads
COLOR: Final = (0.035, 0.05, 0.07, 1.0)
LEAST_NECK: Final = (0.25, 0.27)
MOST_NECK: Final = (0.36, 0.40)


def crop(surfaces: list[Surface], figure: Figure) -> list[Surface]:
    """The surfaces without anything below the shoulders or beside them."""
    for normal, distance in figures.bust_planes(figure):
        surfaces = [cut for surface in surfaces if (cut := clip(surface, normal, distance)) is not None]
    return surfaces


def add_bust(surfaces: list[Surface], figure: Figure, notes: list[str]) -> list[Surface]:
    """The surface to add, or none where the figure has shoulders of its own. An addition is noted in `notes`."""
    low = min(float(surface.positions[surface.tris.ravel(), 1].min()) for surface in surfaces)
    if low < figure.chin - NO_SHOULDERS * figure.head:
        return []
    notes.append("the head ends at the neck: a plain pullover was added")
    return [_pullover(surfaces, figure, low)]


def _pullover(surfaces: list[Surface], figure: Figure, low: float) -> Surface:
    center, radii, top, slope = _neck(surfaces, figure, low)
    end = figure.bust_end
    profile = np.array(PROFILE)
    angle = np.linspace(0, 2 * np.pi, SEGMENTS, endpoint=False)
    circle = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    full = np.array(SHOULDERS) * figure.head
    # Shoulders are squarer than an ellipse: they keep their depth further out.
    flat = np.sign(circle) * np.abs(circle) ** 0.8
    out = np.clip(profile[:, 1], 0, None)[:, None, None]
    size = radii * (1 + np.minimum(profile[:, 1], 0))[:, None, None] * (1 + 0.08 * (profile[:, 1] > 0))[:, None, None]
    ring = (1 - out) * size * circle + out * full * flat
    heights = top - profile[:, 0] * (top - end)
    # A collar is higher at the back than at the front, as the end of the neck is. The slope fades out at the shoulders.
    lean = slope * radii[1] * circle[:, 1] * np.clip(1 - 1.4 * profile[:, 1:2], 0, 1)
    positions = np.empty((len(profile), SEGMENTS, 3), dtype=np.float32)
    positions[..., 0] = center[0] + ring[..., 0]
    positions[..., 1] = heights[:, None] + lean
    positions[..., 2] = center[1] + ring[..., 1] - 0.05 * figure.head * np.clip(profile[:, 1:2], 0, 1)
    points = positions.reshape(-1, 3)
    return Surface(
        name="pullover cloth",
        material=Material(name="pullover", factor=COLOR, uv=np.eye(2, 3), roughness=0.95, double_sided=True),
        positions=points,
        normals=None,
        uvs=np.zeros((len(points), 2), dtype=np.float32),
        colors=None,
        tris=_rings(len(profile), SEGMENTS),
        bones=Bones(nodes=np.zeros((len(points), 1), np.int32), weights=np.ones((len(points), 1), np.float32)),
    )


def _neck(
    surfaces: list[Surface], figure: Figure, low: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], float, float]:
    """The end of the neck: its centre and radii, both (x, z); the height of a collar that covers it, and its slope."""
    rim = _rim(surfaces, min(low + 0.25 * figure.head, figure.chin + 0.1 * figure.head))
    least, most = np.array(LEAST_NECK) * figure.head, np.array(MOST_NECK) * figure.head
    if len(rim) < 3:
        at = figure.middle[1] - 0.4 * figure.head
        return np.array([figure.middle[0], at]), (least + most) / 2, low + 0.1 * figure.head, -0.3
    start, stop = np.percentile(rim[:, [0, 2]], [1, 99], axis=0)
    center, radii = (start + stop) / 2, np.clip((stop - start) / 2 * 1.03, least * 0.8, most)
    slope = float(np.clip(np.polyfit(rim[:, 2] - center[1], rim[:, 1], 1)[0], -0.5, 0.0))
    covered = float(np.percentile(rim[:, 1] - slope * (rim[:, 2] - center[1]), 98))
    return center, radii, covered + 0.015 * figure.head, slope


def _rim(surfaces: list[Surface], below: float) -> NDArray[np.float32]:
    """The points (N, 3) of the widest open boundary below the height `below`."""
    rims = [np.zeros((0, 3), dtype=np.float32)]
    for surface in surfaces:
        place = np.unique(surface.positions, axis=0, return_inverse=True)[1].reshape(-1)
        tris = place[surface.tris]
        edges = np.sort(np.concatenate([tris[:, [0, 1]], tris[:, [1, 2]], tris[:, [2, 0]]]), axis=1)
        corners = np.concatenate([surface.tris[:, [0, 1]], surface.tris[:, [1, 2]], surface.tris[:, [2, 0]]])
        _, back, count = np.unique(edges, axis=0, return_inverse=True, return_counts=True)
        points = surface.positions[np.unique(corners[count[back.reshape(-1)] == 1])]
        rims.append(points[points[:, 1] < below])
    return max(rims, key=lambda points: float(np.ptp(points[:, 0])) if len(points) else 0.0)


def _rings(rings: int, segments: int) -> NDArray[np.int64]:
    """Triangles (F, 3) between rings of points. The first ring is on top; each ring runs from +z towards +x."""
    row, column = np.meshgrid(np.arange(rings - 1), np.arange(segments), indexing="ij")
    a, b = row * segments + column, row * segments + (column + 1) % segments
    below = np.stack([a, a + segments, b], axis=-1).reshape(-1, 3)
    above = np.stack([b, a + segments, b + segments], axis=-1).reshape(-1, 3)
    tris: NDArray[np.int64] = np.concatenate([below, above]).astype(np.int64)
    return tris


def clip(surface: Surface, normal: tuple[float, float, float], distance: float) -> Surface | None:
    """The part of a surface where normal . x >= distance, None if empty. Triangles across the plane are divided."""
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
        # c is the corner outside the plane.
        c, a, b = _rolled(two, inside[count == 2].argmin(axis=1))
        bc, ca = edges.cut(b, c), edges.cut(a, c)
        tris += [np.stack([a, b, bc], axis=1), np.stack([a, bc, ca], axis=1)]
    return edges.extended(surface, np.concatenate(tris))


def _rolled(tris: NDArray[np.int64], first: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    rows = np.arange(len(tris))
    return tuple(tris[rows, (first + k) % 3] for k in range(3))


class _Edges:
    """The vertices that a plane adds: one on each edge that it cuts."""

    def __init__(self, height: NDArray[np.float32]) -> None:
        self._height = height
        self._pairs: list[NDArray[np.int64]] = []
        self._count = len(height)

    def cut(self, kept: NDArray[np.int64], lost: NDArray[np.int64]) -> NDArray[np.int64]:
        """The index of a new vertex for each pair of a vertex inside and one outside, int64 (N,)."""
        self._pairs.append(np.stack([kept, lost], axis=1))
        start = self._count
        self._count += len(kept)
        return np.arange(start, self._count)

    def extended(self, surface: Surface, tris: NDArray[np.int64]) -> Surface:
        """The surface with the new vertices, reduced to `tris` and the vertices that they use."""
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
