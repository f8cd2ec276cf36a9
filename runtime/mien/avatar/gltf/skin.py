"""The world-space placement of a primitive's vertices, by their node or by a skin in its rest pose."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.gltf.accessors import Reader
from mien.avatar.gltf.glb import AGAIN, Glb
from mien.avatar.gltf.schema import Primitive
from mien.errors import AvatarError

Floats = NDArray[np.float32]
MAX_SETS: Final = 2
MAX_JOINTS: Final = 4096


@dataclass(kw_only=True)
class Bones:
    """nodes: int32 (V, K), the nodes that move each vertex. weights: float32 (V, K), their shares; rows sum to 1."""

    nodes: NDArray[np.int32]
    weights: Floats

    def share(self, chosen: NDArray[np.bool_]) -> Floats:
        """The share of each vertex, (V,), that the nodes of the mask `chosen` move."""
        share: Floats = (self.weights * chosen[self.nodes]).sum(axis=1)
        return share


@dataclass(kw_only=True)
class Placement:
    """An affine transform of each vertex. linear: (V, 3, 3) or (3, 3). offset: (V, 3) or (3,)."""

    linear: NDArray[np.float64]
    offset: NDArray[np.float64]
    bones: Bones

    @property
    def mirrored(self) -> bool:
        """Whether most vertices are mirrored, so that triangles must change their winding."""
        determinants = np.atleast_1d(np.linalg.det(self.linear))
        return bool(len(determinants) and np.median(determinants) < 0)

    def move(self, positions: Floats) -> Floats:
        """Positions (V, 3) in world space."""
        return (self.turn(positions) + self.offset).astype(np.float32)

    def turn(self, deltas: Floats) -> Floats:
        """Deltas (V, 3) in world space."""
        return _apply(self.linear, deltas)

    def turn_normals(self, normals: Floats) -> Floats:
        """Unit normals (V, 3) in world space. Cofactors keep them perpendicular under non-uniform scale."""
        a, b, c = (self.linear[..., k, :] for k in range(3))
        cofactors = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=-2)
        turned = _apply(cofactors, normals)
        # The cofactors of a mirroring transform point inwards.
        turned *= np.sign(np.linalg.det(self.linear)).astype(np.float32)[..., None]
        length = np.linalg.norm(turned, axis=1, keepdims=True)
        return np.where(length > 1e-12, turned / np.maximum(length, 1e-12), (0.0, 0.0, 1.0)).astype(np.float32)


def _apply(linear: NDArray[np.float64], rows: Floats) -> Floats:
    if linear.ndim == 2:
        return (rows @ linear.T).astype(np.float32)
    moved: Floats = np.matmul(linear.astype(np.float32), rows[:, :, None])[:, :, 0]
    return moved


def place(
    glb: Glb,
    reader: Reader,
    where: str,
    primitive: Primitive,
    worlds: list[NDArray[np.float64]],
    node: int,
    count: int,
) -> Placement:
    """The placement of a primitive of `node`. Raises AvatarError for a skin that does not fit the primitive."""
    skin = glb.json.nodes[node].skin
    if skin is None or "JOINTS_0" not in primitive.attributes or "WEIGHTS_0" not in primitive.attributes:
        own = Bones(nodes=np.full((count, 1), node, dtype=np.int32), weights=np.ones((count, 1), dtype=np.float32))
        return Placement(linear=worlds[node][:3, :3], offset=worlds[node][:3, 3], bones=own)
    palette, joints = _palette(glb, reader, skin, worlds)
    slots, weights = _influences(reader, where, primitive, count)
    if slots.size and int(slots.max()) >= len(joints):
        raise AvatarError(f"{where}.attributes.JOINTS_0: {int(slots.max())} with {len(joints)} joints; {AGAIN}")
    blended = np.zeros((count, 3, 4))
    for k in range(slots.shape[1]):
        blended += weights[:, k, None, None] * palette[slots[:, k], :3]
    bones = Bones(nodes=joints[slots].astype(np.int32), weights=weights)
    return Placement(linear=blended[:, :, :3], offset=blended[:, :, 3], bones=bones)


def bind_offsets(glb: Glb, reader: Reader, root: int) -> dict[int, NDArray[np.float64]]:
    """The transform (4, 4) from the joint `root` to each joint that a skin binds beside it, in the bind pose."""
    found: dict[int, NDArray[np.float64]] = {}
    for skin in glb.json.skins:
        if root not in skin.joints or skin.inverse_bind_matrices is None:
            continue
        rows = reader.floats(skin.inverse_bind_matrices, 16).reshape(-1, 4, 4).transpose(0, 2, 1).astype(np.float64)
        binds = dict(zip(skin.joints, rows, strict=False))
        for joint, matrix in binds.items():
            if root in binds and abs(float(np.linalg.det(matrix))) > 1e-12:
                found.setdefault(joint, binds[root] @ np.linalg.inv(matrix))
    return found


def _palette(
    glb: Glb, reader: Reader, skin: int, worlds: list[NDArray[np.float64]]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    entry = glb.pick("skins", skin)
    if not 0 < len(entry.joints) <= MAX_JOINTS:
        raise AvatarError(f"skins[{skin}].joints: {len(entry.joints)}; 1 to {MAX_JOINTS} are read")
    if any(not 0 <= joint < len(worlds) for joint in entry.joints):
        raise AvatarError(f"skins[{skin}].joints: a joint is not a node; {AGAIN}")
    palette = np.stack([worlds[joint] for joint in entry.joints])
    if entry.inverse_bind_matrices is not None:
        inverse = reader.floats(entry.inverse_bind_matrices, 16).reshape(-1, 4, 4).transpose(0, 2, 1)
        if len(inverse) < len(palette):
            raise AvatarError(f"skins[{skin}].inverseBindMatrices: {len(inverse)} for {len(palette)} joints; {AGAIN}")
        palette = palette @ inverse[: len(palette)]
    if not (np.abs(palette) < 1e6).all():
        raise AvatarError(f"skins[{skin}]: a joint's transform holds NaN, infinity or an absurd length; {AGAIN}")
    return palette, np.array(entry.joints, dtype=np.int64)


def _influences(reader: Reader, where: str, primitive: Primitive, count: int) -> tuple[NDArray[np.int64], Floats]:
    slots, weights = [], []
    for number in range(MAX_SETS):
        names = (f"JOINTS_{number}", f"WEIGHTS_{number}")
        if all(name in primitive.attributes for name in names):
            joints, shares = (f"{where}.attributes.{name}" for name in names)
            slots.append(reader.integers(primitive.attributes[names[0]], 4, count, joints))
            weights.append(np.maximum(reader.floats(primitive.attributes[names[1]], 4, count, shares), 0))
    total = np.concatenate(weights, axis=1)
    sums = total.sum(axis=1, keepdims=True)
    total = np.where(sums > 1e-6, total / np.maximum(sums, 1e-6), np.float32(0))
    total[sums[:, 0] <= 1e-6, 0] = 1.0
    joined = np.concatenate(slots, axis=1)
    return np.where(total > 0, joined, 0), total.astype(np.float32)
