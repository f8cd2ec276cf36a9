"""A small hand-built avatar: a round head with a mouth that opens, two eyes, shoulders that do not move."""

import numpy as np
from numpy.typing import NDArray

from mien.core.mesh import Mesh, MorphTarget, Part

HEAD, EYES, SHOULDERS = 0, 1, 2


def sphere(center: tuple[float, float, float], radius: float, rings: int = 12) -> tuple[NDArray, NDArray]:
    """Vertices (N, 3) on a sphere and triangles (M, 3), counter-clockwise from outside."""
    theta = np.linspace(0, np.pi, rings + 1)[:, None]
    phi = np.linspace(0, 2 * np.pi, 2 * rings + 1)[None, :]
    unit = np.stack((np.sin(theta) * np.sin(phi), np.cos(theta) + 0 * phi, np.sin(theta) * np.cos(phi)), axis=-1)
    row = 2 * rings + 1
    first = (np.arange(rings)[:, None] * row + np.arange(2 * rings)[None, :]).ravel()
    triangles = np.concatenate(
        (np.stack((first, first + row, first + 1), 1), np.stack((first + 1, first + row, first + row + 1), 1))
    )
    return unit.reshape(-1, 3) * radius + np.asarray(center), triangles


def target(name: str, chosen: NDArray, offset: tuple[float, float, float]) -> MorphTarget:
    """A target that moves the chosen vertices by offset and tilts their normals slightly."""
    vertices = np.flatnonzero(chosen).astype(np.uint16)
    moved = np.tile(np.asarray(offset, dtype=np.float32), (len(vertices), 1))
    normals = np.tile(np.array([0, -0.2, 0.1], dtype=np.float32), (len(vertices), 1))
    return MorphTarget(name=name, vertices=vertices, positions=moved, normals=normals)


def make_mesh() -> Mesh:
    """Head: skin, red. Eyes: white with a black front. Shoulders: cloth, blue."""
    pieces = [
        (sphere((0, 0.0, 0), 0.1), (220, 90, 80), 1.0),
        (sphere((0.035, 0.02, 0.09), 0.02), (255, 255, 255), 1.0),
        (sphere((-0.035, 0.02, 0.09), 0.02), (255, 255, 255), 1.0),
        (sphere((0, -0.16, -0.02), 0.09), (40, 60, 200), 0.0),
    ]
    names = (("skin", "skin"), ("left", "eye_left"), ("right", "eye_right"), ("shirt", "cloth"))
    positions, normals, colors, weights, indices, parts = [], [], [], [], [], []
    start = 0
    for ((points, triangles), color, weight), (name, role) in zip(pieces, names, strict=True):
        center = points.mean(axis=0)
        normal = points - center
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        tint = np.tile(np.array([*color, 255], dtype=np.uint8), (len(points), 1))
        if role.startswith("eye"):
            tint[normal[:, 2] > 0.75, :3] = 0
        parts.append(
            Part(name=name, role=role, first_index=sum(map(len, indices)), index_count=triangles.size, specular=0.1)
        )
        indices.append((triangles + start).ravel())
        positions.append(points)
        normals.append(normal)
        colors.append(tint)
        weights.append(np.full(len(points), weight))
        start += len(points)
    at = np.concatenate(positions).astype(np.float32)
    head = np.concatenate(weights) > 0.5
    mouth = head & (np.abs(at[:, 0]) < 0.06) & (at[:, 2] > 0)
    return Mesh(
        name="test",
        positions=at,
        normals=np.concatenate(normals).astype(np.float32),
        uvs=np.zeros((len(at), 2), dtype=np.float32),
        colors=np.concatenate(colors),
        head_weights=np.concatenate(weights).astype(np.float32),
        indices=np.concatenate(indices).astype(np.uint16),
        parts=tuple(parts),
        textures=(),
        targets=(
            target("jawOpen", mouth & (at[:, 1] < -0.02), (0, -0.05, 0)),
            target("mouthSmileLeft", mouth & (at[:, 1] < 0) & (at[:, 0] > 0), (0.01, 0.02, 0)),
            target("mouthSmileRight", mouth & (at[:, 1] < 0) & (at[:, 0] < 0.01), (-0.01, 0.02, 0)),
            target("eyeBlinkLeft", head & (at[:, 0] > 0) & (at[:, 1] > 0), (0, -0.01, 0.005)),
            target("breath", ~head, (0, 0.01, 0)),
            target("browInnerUp", np.arange(len(at)) % 97 == 0, (0, 0.004, 0)),
        ),
        neck_pivot=np.array([0, -0.08, -0.02], dtype=np.float32),
        eye_pivots=np.array([[0.035, 0.02, 0.09], [-0.035, 0.02, 0.09]], dtype=np.float32),
        frame_center=np.array([0, -0.03, 0], dtype=np.float32),
        frame_height=0.36,
    )
