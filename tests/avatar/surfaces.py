"""Surfaces for tests: a square of two triangles by default."""

from typing import Any

import numpy as np

from mien.avatar.gltf.materials import Material
from mien.avatar.gltf.scene import Surface
from mien.avatar.gltf.skin import Bones

SQUARE = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)


def surface(
    name: str = "Head", positions: np.ndarray = SQUARE, tris: Any = ((0, 1, 2), (0, 2, 3)), **fields: Any
) -> Surface:
    count = len(positions)
    shared: dict[str, Any] = {
        "material": Material(uv=np.eye(2, 3)), "normals": None, "uvs": positions[:, :2].copy(), "colors": None,
        "bones": Bones(nodes=np.zeros((count, 1), np.int32), weights=np.ones((count, 1), np.float32)),
    }  # fmt: skip
    return Surface(name=name, positions=positions, tris=np.array(tris), **(shared | fields))
