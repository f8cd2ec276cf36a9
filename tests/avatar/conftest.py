"""A mesh small enough to break in every way."""

import numpy as np
import pytest

from mien.core.mesh import Mesh, MorphTarget, Part


@pytest.fixture
def tetrahedron() -> Mesh:
    """Four vertices, one skin part with a texture, two targets."""
    positions = np.array([[0, 0, 0.1], [0.1, 0, 0], [0, 0.1, 0], [-0.1, 0, 0]], dtype=np.float32)
    rng = np.random.default_rng(3)
    return Mesh(
        name="tetrahedron",
        positions=positions,
        normals=positions / np.linalg.norm(positions, axis=1, keepdims=True),
        uvs=rng.random((4, 2)).astype(np.float32),
        colors=rng.integers(0, 256, (4, 4), dtype=np.uint8),
        head_weights=np.array([1, 1, 0.5, 0], dtype=np.float32),
        indices=np.array([0, 1, 2, 0, 2, 3, 0, 3, 1, 1, 3, 2], dtype=np.uint16),
        parts=(Part(name="skin", first_index=0, index_count=12, role="skin", texture=0, specular=0.25),),
        textures=(rng.integers(0, 256, (8, 16, 4), dtype=np.uint8),),
        targets=(
            MorphTarget(
                name="jawOpen",
                vertices=np.array([1, 3], dtype=np.uint16),
                positions=np.array([[0, -0.02, 0], [0.001, -0.015, 0]], dtype=np.float32),
                normals=np.array([[0, -0.5, 0], [0, 0, 0.25]], dtype=np.float32),
            ),
            MorphTarget(
                name="breath",
                vertices=np.zeros(0, dtype=np.uint16),
                positions=np.zeros((0, 3), dtype=np.float32),
                normals=np.zeros((0, 3), dtype=np.float32),
            ),
        ),
        neck_pivot=np.array([0, -0.1, 0], dtype=np.float32),
        eye_pivots=np.array([[0.03, 0, 0], [-0.03, 0, 0]], dtype=np.float32),
        frame_center=np.zeros(3, dtype=np.float32),
        frame_height=0.4,
    )
