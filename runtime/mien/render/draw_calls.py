"""Draw calls: how parts are joined, ordered, shaded. Pure."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.core.mesh import Part, Role, material_key

# Including background and overlay: on a Pi 3 a call costs more than its triangles.
MAX_DRAW_CALLS = 8
# Below this specular, cloth and lashes look the same and share a call.
_DULL = 0.06


@dataclass(frozen=True, slots=True, kw_only=True)
class Shading:
    """wrap: how far the key light wraps around the terminator, for red, green and blue, 0..1. rim: 0..1."""

    wrap: tuple[float, float, float]
    rim: float


# Under skin red light scatters furthest, which makes the terminator warm (Jimenez et al., Separable Subsurface
# Scattering, 2015).
SHADING: Final[dict[Role, Shading]] = {
    "skin": Shading(wrap=(0.47, 0.33, 0.27), rim=0.4),
    "eye_left": Shading(wrap=(0.35, 0.33, 0.33), rim=0.0),
    "eye_right": Shading(wrap=(0.35, 0.33, 0.33), rim=0.0),
    "mouth": Shading(wrap=(0.6, 0.52, 0.5), rim=0.0),
    "hair": Shading(wrap=(0.2, 0.2, 0.2), rim=0.45),
    "cloth": Shading(wrap=(0.15, 0.15, 0.15), rim=0.35),
    "other": Shading(wrap=(0.2, 0.2, 0.2), rim=0.5),
}


# Variants of the face's shaders: the name to define, and the roles drawn with it. Drawn front to back, so that depth
# testing rejects hidden fragments early.
VARIANTS: Final[dict[str, tuple[Role, ...]]] = {
    "HAIR": ("hair",),
    "": ("cloth", "skin", "other", "mouth"),
    "EYE": ("eye_left", "eye_right"),
    "MASK": ("hair", "cloth", "skin", "other", "mouth"),
}


def plan(parts: tuple[Part, ...], indices: NDArray[np.uint16]) -> tuple[tuple[Part, ...], NDArray[np.uint16]]:
    """Join parts of the same material, opaque ones first, and reorder their indices accordingly.

    Returns the joined parts and the indices into which they point.
    """
    groups: dict[tuple[object, ...], list[Part]] = {}
    for part in sorted(parts, key=lambda part: part.alpha):
        groups.setdefault(_draw_call(part), []).append(part)
    joined: list[Part] = []
    runs: list[NDArray[np.uint16]] = []
    first = 0
    for members in groups.values():
        runs += [indices[part.first_index : part.first_index + part.index_count] for part in members]
        count = sum(part.index_count for part in members)
        both_sides = any(part.double_sided for part in members)
        joined.append(replace(members[0], first_index=first, index_count=count, double_sided=both_sides))
        first += count
    return tuple(joined), np.concatenate(runs) if runs else indices[:0]


def drawn_by(variant: str, parts: tuple[Part, ...]) -> list[Part]:
    """The parts that a variant draws, in the order of its roles; masked parts belong to "MASK" alone."""
    masked = variant == "MASK"
    return [part for role in VARIANTS[variant] for part in parts if part.role == role and part.masked == masked]


def uniforms(part: Part) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The uniforms u_material and u_wrap of one part."""
    shading = SHADING[part.role]
    textured = 0.0 if part.texture < 0 else 1.0 if part.alpha else 2.0
    red, green, blue = shading.wrap
    return (part.specular, part.gloss, shading.rim, textured), (1 / (1 + red), 1 / (1 + green), 1 / (1 + blue))


def _draw_call(part: Part) -> tuple[object, ...]:
    if part.role in ("cloth", "other") and part.texture < 0 and not part.alpha and part.specular <= _DULL:
        return ("dull",)
    return material_key(part)
