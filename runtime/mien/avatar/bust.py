"""Shoulders for a head that comes without: a dark pullover, so that no neck ends in the air."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.figure import Figure
from mien.avatar.looks import Look
from mien.avatar.scene import Surface
from mien.avatar.skin import Bones

# A figure that ends higher than this below the chin, in heads, has no shoulders.
NO_SHOULDERS: Final = 0.62
SEGMENTS: Final = 48
# From the collar's inside down: (how far down from the collar's edge to the bust's end, 0..1; how far from the neck's
# size to the shoulders', 0..1). After a pullover with a round collar.
PROFILE: Final = (
    (0.035, -0.10), (0.0, -0.03), (-0.004, 0.005), (0.006, 0.035), (0.03, 0.05), (0.06, 0.06), (0.085, 0.10),
    (0.12, 0.24), (0.17, 0.46), (0.23, 0.68), (0.31, 0.86), (0.42, 0.97), (0.6, 1.0), (1.0, 1.02),
)  # fmt: skip
SHOULDERS: Final = (0.92, 0.46)  # half width and half depth, in heads
END_BELOW_CHIN: Final = 1.45
COLOR: Final = (0.035, 0.05, 0.07, 1.0)
LEAST_NECK: Final = (0.25, 0.27)
MOST_NECK: Final = (0.36, 0.40)


def add_bust(surfaces: list[Surface], figure: Figure, notes: list[str]) -> list[Surface]:
    """One surface, or none where the figure has shoulders of its own. Says so in `notes`."""
    low = min(float(surface.positions[surface.tris.ravel(), 1].min()) for surface in surfaces)
    if low < figure.chin - NO_SHOULDERS * figure.head:
        return []
    notes.append("the head ends at the neck: it was given a plain pullover")
    return [_pullover(surfaces, figure, low)]


def _pullover(surfaces: list[Surface], figure: Figure, low: float) -> Surface:
    center, radii, top, slope = _neck(surfaces, figure, low)
    end = figure.chin - END_BELOW_CHIN * figure.head
    profile = np.array(PROFILE)
    angle = np.linspace(0, 2 * np.pi, SEGMENTS, endpoint=False)
    circle = np.stack([np.sin(angle), np.cos(angle)], axis=1)
    full = np.array(SHOULDERS) * figure.head
    # Shoulders are flatter than an ellipse: wide ones keep their depth further out.
    flat = np.sign(circle) * np.abs(circle) ** 0.8
    out = np.clip(profile[:, 1], 0, None)[:, None, None]
    size = radii * (1 + np.minimum(profile[:, 1], 0))[:, None, None] * (1 + 0.08 * (profile[:, 1] > 0))[:, None, None]
    ring = (1 - out) * size * circle + out * full * flat
    heights = top - profile[:, 0] * (top - end)
    # A collar stands higher behind than in front, as the neck's end does; the slope ends at the shoulders.
    lean = slope * radii[1] * circle[:, 1] * np.clip(1 - 1.4 * profile[:, 1:2], 0, 1)
    positions = np.empty((len(profile), SEGMENTS, 3), dtype=np.float32)
    positions[..., 0] = center[0] + ring[..., 0]
    positions[..., 1] = heights[:, None] + lean
    positions[..., 2] = center[1] + ring[..., 1] - 0.05 * figure.head * np.clip(profile[:, 1:2], 0, 1)
    points = positions.reshape(-1, 3)
    return Surface(
        name="pullover cloth",
        look=Look(name="pullover", factor=COLOR, uv=np.eye(2, 3), roughness=0.95, double_sided=True),
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
    """Where the neck ends: its middle (2,), x and z; its radii (2,); the height there that covers it, and its slope."""
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
    """The points (N, 3) of the largest open edge that lies lower than `below`."""
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
    """Triangles, (F, 3), between rings of points that run from +z over +x, the first ring on top."""
    row, column = np.meshgrid(np.arange(rings - 1), np.arange(segments), indexing="ij")
    a, b = row * segments + column, row * segments + (column + 1) % segments
    below = np.stack([a, a + segments, b], axis=-1).reshape(-1, 3)
    above = np.stack([b, a + segments, b + segments], axis=-1).reshape(-1, 3)
    tris: NDArray[np.int64] = np.concatenate([below, above]).astype(np.int64)
    return tris
