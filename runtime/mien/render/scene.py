"""The light and the background that every avatar is shown in. Pure.

Light is written in linear terms (1 is white paper under the key light), the background in sRGB 0..1.
"""

import math
from dataclasses import dataclass
from typing import Final

Rgb = tuple[float, float, float]


def _toward(x: float, y: float, z: float) -> Rgb:
    length = math.sqrt(x * x + y * y + z * z)
    return (x / length, y / length, z / length)


# Directions point towards the light: x to the viewer's right, y up, z to the viewer.
LIGHTS: Final[dict[str, Rgb]] = {
    "u_key_direction": _toward(-0.6, 0.62, 0.7),
    "u_key_color": (1.0, 0.94, 0.87),
    "u_fill_direction": _toward(0.9, 0.05, 0.5),
    "u_fill_color": (0.11, 0.125, 0.145),
    "u_sky_color": (0.27, 0.285, 0.31),
    "u_ground_color": (0.13, 0.10, 0.09),
    "u_rim_direction": _toward(0.75, 0.35, -0.5),
    "u_rim_color": (0.80, 0.86, 0.92),
    # The lamps that the eyes mirror: placed where the highlight falls between pupil and upper lid.
    "u_lamp_direction": _toward(-0.36, 0.52, 0.77),
    "u_second_lamp_direction": _toward(0.42, -0.4, 0.8),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """A vertical gradient and a glow behind the head, sRGB, each component 0..1."""

    top: Rgb = (0.33, 0.41, 0.46)
    bottom: Rgb = (0.17, 0.21, 0.26)
    glow: Rgb = (0.26, 0.27, 0.25)
