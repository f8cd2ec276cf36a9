"""What of a figure is shown: head and shoulders; and the geometry that the cut, the weld and the frame need."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.scene import Scene, Surface
from mien.errors import AvatarError

Floats = NDArray[np.float32]
# Heights of an upright adult in units of the head (crown to chin): the shoulders and upper chest end about here.
BUST_BELOW_CHIN: Final = 0.95
# What is framed below the chin, and above the crown.
FRAME_BELOW_CHIN: Final = 0.42
HUMAN_HEAD_M: Final = 0.24
FACE_MOVE_SHARE: Final = 0.05


def head_and_shoulders(scene: Scene, matched: dict[str, list[tuple[str, float, int]]]) -> list[NDArray[np.bool_]]:
    """For each surface which triangles stay. Raises AvatarError when no matched target moves anything."""
    wanted = {target for binds in matched.values() for target, _, _ in binds}
    moving = []
    for surface in scene.surfaces:
        deltas = [surface.targets[name] for name in wanted if name in surface.targets]
        if deltas:
            reach = np.max([np.linalg.norm(delta, axis=1) for delta in deltas], axis=0)
            if reach.max() > 0:
                moving.append(surface.positions[reach > FACE_MOVE_SHARE * reach.max()])
    if not moving:
        raise AvatarError("the morph targets move nothing; export the head with its blend shapes")
    face = np.concatenate(moving)
    chin, brow = np.percentile(face[:, 1], [1, 99])
    everything = np.concatenate([surface.positions for surface in scene.surfaces])
    crown = min(float(everything[:, 1].max()), float(chin + 2.2 * (brow - chin)))
    floor = chin - BUST_BELOW_CHIN * (crown - chin)
    return [(surface.positions[surface.tris, 1] > floor).all(axis=1) for surface in scene.surfaces]


def weld(
    surface: Surface, used: NDArray[np.int64], flat: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Vertices that agree in everything become one: (kept vertices, indices into them)."""
    columns = [surface.positions[used], surface.uvs[used]]
    if surface.normals is not None:
        columns.append(surface.normals[used])
    if surface.colors is not None:
        columns.append(surface.colors[used])
    columns += [deltas[used] for deltas in surface.targets.values()]
    rows = np.ascontiguousarray(np.concatenate(columns, axis=1))
    keys = rows.view([("", rows.dtype)] * rows.shape[1])[:, 0]
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    return used[first], inverse[flat]


def smooth_groups(positions: Floats, normals: Floats) -> NDArray[np.int64]:
    """One number for the vertices at the same place that share a normal: a seam of the texture, no edge of the skin."""
    keys = np.concatenate([np.rint(positions * 2e5), np.rint(normals * 20)], axis=1).astype(np.int64)
    return np.asarray(np.unique(keys, axis=0, return_inverse=True)[1], dtype=np.int64).reshape(-1)


def vertex_normals(positions: Floats, tris: NDArray[np.int64], groups: NDArray[np.int64]) -> Floats:
    """Area-weighted normals, smooth across vertices of one group."""
    a, b, c = (positions[tris[:, k]].astype(np.float64) for k in range(3))
    face = np.cross(b - a, c - a)
    count = int(groups.max()) + 1
    at = groups[tris]
    total = np.stack([sum(np.bincount(at[:, k], face[:, axis], count) for k in range(3)) for axis in range(3)], axis=1)
    total /= np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-15)
    return total[groups].astype(np.float32)


def half(positions: Floats, side: int) -> Floats:
    """1 on one side of the face (side +1: the avatar's left, +x), 0 on the other, soft over 1/16 of its width."""
    if side == 0:
        return np.ones(len(positions), dtype=np.float32)
    soft = max(float(np.ptp(positions[:, 0])) / 16, 1e-6)
    return np.clip(0.5 + side * positions[:, 0] / soft, 0, 1).astype(np.float32)


def scale_to_human(positions: Floats) -> float:
    """What brings centimetres, inches or fancy to metres; 1 for anything near the size of a person."""
    height = float(np.ptp(positions[:, 1]))
    if not 1e-4 < height < 1e4:
        raise AvatarError(f"the figure is {height:g} units high; export it at human scale, in metres")
    return 1.0 if 0.12 < height < 1.2 else 1.9 * HUMAN_HEAD_M / height


def frame(positions: Floats) -> tuple[Floats, float]:
    """Center (3,) and height of what a camera shows: from above the crown to below the shoulders' line."""
    low, high = positions[:, 1].min(), positions[:, 1].max()
    low = max(float(low), float(high) - HUMAN_HEAD_M * (1 + FRAME_BELOW_CHIN) * 1.15)
    span = float(high - low)
    middle = (positions[:, 0].min() + positions[:, 0].max()) / 2
    depth = positions[positions[:, 1] > low, 2].mean()
    return np.array([middle, low + span * 0.52, depth], dtype=np.float32), span * 1.16


def neck(positions: Floats) -> Floats:
    """A guess at the joint between head and neck: low and behind the middle."""
    low, high = positions[:, 1].min(), positions[:, 1].max()
    base = max(float(low), float(high) - 1.15 * HUMAN_HEAD_M)
    z = np.percentile(positions[:, 2], 35)
    return np.array([positions[:, 0].mean(), base + 0.1 * float(high - base), z], dtype=np.float32)


def head_weights(positions: Floats) -> Floats:
    """1 above the jaw's angle, 0 from the collar down, for a head without bones."""
    high = float(positions[:, 1].max())
    top, bottom = high - 1.05 * HUMAN_HEAD_M, high - 1.45 * HUMAN_HEAD_M
    return np.clip((positions[:, 1] - bottom) / (top - bottom), 0, 1).astype(np.float32)
