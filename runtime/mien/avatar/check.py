"""Validation of a mesh against `mien.core.mesh`, once at load time, so that the frame loop need not check."""

from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from mien.core.mesh import Mesh, MorphTarget, Part, Role
from mien.core.pose import ARKIT_SHAPES
from mien.errors import AvatarError

TARGET_NAMES = frozenset((*ARKIT_SHAPES, "breath"))
ROLES = frozenset(get_args(Role))
MAX_EXTENT_M = 100.0


def check_mesh(mesh: Mesh) -> None:
    """Raise AvatarError, naming the field, for a wrong shape, NaN, a value out of range or an unknown name."""
    count = len(mesh.positions)
    for name, width in (("positions", 3), ("normals", 3), ("uvs", 2)):
        _check_floats(name, getattr(mesh, name), (count, width))
    _check_floats("head_weights", mesh.head_weights, (count,), limit=1.0)
    _check_floats("neck_pivot", mesh.neck_pivot, (3,))
    _check_floats("eye_pivots", mesh.eye_pivots, (2, 3))
    _check_floats("frame_center", mesh.frame_center, (3,))
    if not 0.0 < mesh.frame_height <= MAX_EXTENT_M:
        raise AvatarError(f"frame_height: {mesh.frame_height} m is not in 0..{MAX_EXTENT_M:g}")
    if not 0.0 <= mesh.frame_width <= MAX_EXTENT_M:
        raise AvatarError(f"frame_width: {mesh.frame_width} m is not in 0..{MAX_EXTENT_M:g}")
    if not 0.0 <= mesh.eye_range <= 1.0:
        raise AvatarError(f"eye_range: {mesh.eye_range} is not in 0..1")
    if mesh.background is not None and not all(0.0 <= value <= 1.0 for rgb in mesh.background for value in rgb):
        raise AvatarError("background: a colour is not in 0..1")
    if mesh.colors.shape != (count, 4):
        raise AvatarError(f"colors: shape {mesh.colors.shape}, expected {(count, 4)}")
    _check_indices(mesh)
    for index, part in enumerate(mesh.parts):
        _check_part(f"parts[{index}] ({part.name})", part, mesh)
    names = [target.name for target in mesh.targets]
    if len(set(names)) != len(names):
        raise AvatarError("targets: a name occurs twice")
    for target in mesh.targets:
        _check_target(target, count)


def _check_floats(field: str, array: NDArray[Any], shape: tuple[int, ...], limit: float = MAX_EXTENT_M) -> None:
    if array.shape != shape:
        raise AvatarError(f"{field}: shape {array.shape}, expected {shape}")
    # NaN fails every comparison, so one pass finds it as well.
    if array.size and not float(np.abs(array).max()) <= limit:
        raise AvatarError(f"{field}: not every value is finite and within {limit:g}")


def _check_indices(mesh: Mesh) -> None:
    if len(mesh.indices) % 3:
        raise AvatarError(f"indices: {len(mesh.indices)} are not a multiple of 3")
    highest = int(mesh.indices.max(initial=0))
    if highest >= len(mesh.positions):
        raise AvatarError(f"indices: {highest} is out of range for {len(mesh.positions)} vertices")


def _check_part(field: str, part: Part, mesh: Mesh) -> None:
    if part.role not in ROLES:
        raise AvatarError(f"{field}.role: {part.role!r} is unknown")
    if part.first_index < 0 or part.index_count < 0 or part.first_index + part.index_count > len(mesh.indices):
        raise AvatarError(f"{field}: {part.index_count} from {part.first_index} of {len(mesh.indices)} indices")
    if part.first_index % 3 or part.index_count % 3:
        raise AvatarError(f"{field}: not a multiple of 3")
    if not -1 <= part.texture < len(mesh.textures):
        raise AvatarError(f"{field}.texture: {part.texture} with {len(mesh.textures)} textures")
    if not (0.0 <= part.specular <= 1.0 and 0.0 < part.gloss <= 1000.0):
        raise AvatarError(f"{field}: specular {part.specular} or gloss {part.gloss} is out of range")


def _check_target(target: MorphTarget, vertex_count: int) -> None:
    field = f"targets ({target.name})"
    if target.name not in TARGET_NAMES:
        raise AvatarError(f"{field}: not the name of an ARKit shape")
    count = len(target.vertices)
    _check_floats(f"{field}.positions", target.positions, (count, 3))
    _check_floats(f"{field}.normals", target.normals, (count, 3))
    if count and int(target.vertices[-1]) >= vertex_count:
        raise AvatarError(f"{field}.vertices: {int(target.vertices[-1])} is out of range for {vertex_count} vertices")
    if count > 1 and not bool((target.vertices[1:] > target.vertices[:-1]).all()):
        raise AvatarError(f"{field}.vertices: not ascending")
