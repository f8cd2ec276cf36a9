"""Brows for heads that have visemes alone, made from the vertices above their eyeballs."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.bake.anatomy import words
from mien.avatar.bake.names import Matches
from mien.avatar.bake.submesh import role_of
from mien.avatar.gltf.scene import Surface

Floats = NDArray[np.float32]
# In distances between the eyes: how far above them brows are, how far their ends are from the eye's middle, the reach
# of a movement around its centre, and its height.
BROW_ABOVE, BROW_END, BROW_REACH, BROW_MOVE = 0.38, 0.2, 0.24, 0.11
MOVED: Final = frozenset({"brow", "brows", "eyebrow", "eyebrows", "lash", "lashes", "eyelash", "eyelashes"})
SIDES: Final = ((1, "Left"), (-1, "Right"))


@dataclass(frozen=True, kw_only=True)
class Ball:
    """An eyeball: its centre (3,) and radius, in the file's units."""

    center: NDArray[np.float64]
    radius: float


def add_brows(surfaces: list[Surface], sides: list[NDArray[np.int8]], matches: Matches) -> dict[str, str]:
    """Add the missing brow shapes where both eyeballs are known. Returns each with its source."""
    balls = {side: _ball(surfaces, sides, side) for side, _ in SIDES}
    left, right = balls[1], balls[-1]
    if left is None or right is None:
        return {}
    skins = [
        (surface, own == 0)
        for surface, own in zip(surfaces, sides, strict=True)
        if role_of(surface.name, bool(surface.targets)) == "skin" or not MOVED.isdisjoint(words(surface.name))
    ]
    made: dict[str, str] = {}
    apart = float(np.linalg.norm(left.center - right.center))
    for shape, centers, way in _brows(left, right, apart):
        if shape not in matches:
            _add_bumps(skins, shape, centers, BROW_REACH * apart, way * BROW_MOVE * apart)
            matches[shape] = [(_name(shape), 1.0, 0)]
            made[shape] = "the vertices above the eye"
    return made


def _name(shape: str) -> str:
    return f"(vertices) {shape}"


def _ball(surfaces: list[Surface], sides: list[NDArray[np.int8]], side: int) -> Ball | None:
    cloud = np.concatenate([surface.positions[own == side] for surface, own in zip(surfaces, sides, strict=True)])
    if not len(cloud):
        return None
    low, high = cloud.min(axis=0).astype(float), cloud.max(axis=0).astype(float)
    radius = float((high - low)[:2].max()) / 2
    center = (low + high) / 2
    # Many eyeballs are only their front half.
    center[2] = high[2] - radius
    return Ball(center=center, radius=radius) if radius > 0 else None


def _brows(left: Ball, right: Ball, apart: float) -> list[tuple[str, list[NDArray[np.float64]], float]]:
    """(shape, centres of its movement, 1 up or -0.6 down)."""

    def at(ball: Ball, side: int, outwards: float) -> NDArray[np.float64]:
        front = np.array([side * outwards * BROW_END * apart, BROW_ABOVE * apart, ball.radius])
        place: NDArray[np.float64] = ball.center + front
        return place

    ends = {1: left, -1: right}
    shapes = [("browInnerUp", [at(ball, side, -1.0) for side, ball in ends.items()], 1.0)]
    for side, label in SIDES:
        shapes.append((f"browOuterUp{label}", [at(ends[side], side, 1.0)], 1.0))
        shapes.append((f"browDown{label}", [at(ends[side], side, -0.5)], -0.6))
    return shapes


def _add_bumps(
    skins: list[tuple[Surface, NDArray[np.bool_]]],
    shape: str,
    centers: list[NDArray[np.float64]],
    reach: float,
    rise: float,
) -> None:
    for surface, kept in skins:
        weight = np.zeros(len(surface.positions))
        for center in centers:
            away = (surface.positions - center) / reach
            away[:, 2] *= 0.5  # brows lie on a curved forehead
            weight = np.maximum(weight, np.exp(-(away**2).sum(axis=1)))
        weight = np.where(kept & (weight > 0.03), weight, 0)
        if weight.any():
            delta = np.zeros_like(surface.positions)
            delta[:, 1] = rise * weight
            surface.targets[_name(shape)] = delta
