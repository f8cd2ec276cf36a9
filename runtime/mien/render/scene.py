"""The scene around every avatar: lights, shadow of the head, background. Pure.

Light is in linear units (1 is white paper under the key light), the background in sRGB 0..1.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.core.mesh import Mesh

_TURNS_WITH_HEAD = 0.98
_LEAST_RADIUS_M = 0.01

Rgb = tuple[float, float, float]


def _toward(x: float, y: float, z: float) -> Rgb:
    length = math.sqrt(x * x + y * y + z * z)
    return (x / length, y / length, z / length)


# Directions point towards the light: x to the viewer's right, y up, z to the viewer.
LIGHTS: Final[dict[str, Rgb]] = {
    "u_key_direction": _toward(-0.6, 0.62, 0.7),
    "u_key_color": (0.99, 0.93, 0.865),
    "u_fill_direction": _toward(0.9, 0.05, 0.5),
    "u_fill_color": (0.12, 0.125, 0.135),
    "u_sky_color": (0.28, 0.28, 0.295),
    "u_ground_color": (0.16, 0.115, 0.095),
    "u_rim_direction": _toward(0.75, 0.35, -0.5),
    "u_rim_color": (0.86, 0.86, 0.87),
    # Lamps reflected in the eyes, placed so that the highlight falls between pupil and upper lid.
    "u_lamp_direction": _toward(-0.36, 0.52, 0.77),
    "u_second_lamp_direction": _toward(0.42, -0.4, 0.8),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ellipsoid:
    """An axis-aligned ellipsoid, in metres."""

    center: Rgb
    radii: Rgb


def head_of(mesh: Mesh) -> Ellipsoid:
    """The ellipsoid within the bounding box of skin that turns fully with the head; far above if there is none."""
    turning = np.zeros(len(mesh.positions), dtype=bool)
    for part in mesh.parts:
        if part.role == "skin":
            turning[mesh.indices[part.first_index : part.first_index + part.index_count]] = True
    turning &= mesh.head_weights > _TURNS_WITH_HEAD
    if not turning.any():
        return Ellipsoid(center=(0.0, 1000.0, 0.0), radii=(_LEAST_RADIUS_M,) * 3)
    lowest, highest = mesh.positions[turning].min(axis=0), mesh.positions[turning].max(axis=0)
    center = [float(value) for value in (lowest + highest) / 2]
    radii = [max(_LEAST_RADIUS_M, float(value)) for value in (highest - lowest) / 2]
    return Ellipsoid(center=(center[0], center[1], center[2]), radii=(radii[0], radii[1], radii[2]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """A vertical gradient with a glow behind the head; sRGB, each component 0..1.

    picture: uint8 (H, W, 4), shown in their place, as large as covers the screen.
    """

    top: Rgb = (0.33, 0.41, 0.46)
    bottom: Rgb = (0.17, 0.21, 0.26)
    glow: Rgb = (0.26, 0.27, 0.25)
    picture: NDArray[np.uint8] | None = None


def background_of(mesh: Mesh) -> Background:
    """The background that an avatar asks for; the usual one where it asks for none."""
    if mesh.background is None:
        return Background()
    top, bottom = mesh.background
    return Background(top=top, bottom=bottom, glow=(0.0, 0.0, 0.0))
