"""How each part of a face takes the light: figures that the fragment shader is given for a draw call. Pure."""

from dataclasses import dataclass
from typing import Final

from mien.core.mesh import Part, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """wrap: how far the key light reaches round the terminator, for red, green and blue, 0..1. rim: 0..1."""

    wrap: tuple[float, float, float]
    rim: float


# Light scatters furthest in red under skin (Jimenez et al., Separable Subsurface Scattering, 2015): a warm terminator.
MATERIALS: Final[dict[Role, Material]] = {
    "skin": Material(wrap=(0.55, 0.32, 0.24), rim=0.5),
    "eye_left": Material(wrap=(0.35, 0.33, 0.33), rim=0.0),
    "eye_right": Material(wrap=(0.35, 0.33, 0.33), rim=0.0),
    "mouth": Material(wrap=(0.6, 0.52, 0.5), rim=0.0),
    "hair": Material(wrap=(0.2, 0.2, 0.2), rim=0.7),
    "cloth": Material(wrap=(0.15, 0.15, 0.15), rim=0.35),
    "other": Material(wrap=(0.2, 0.2, 0.2), rim=0.5),
}


# What the face's shaders are compiled for: a name to define, and the roles drawn so. In the order of drawing, from what
# hides most to what is hidden most, so that the depth test spares the GPU what will not be seen.
VARIANTS: Final[dict[str, tuple[Role, ...]]] = {
    "HAIR": ("hair",),
    "": ("cloth", "skin", "other", "mouth"),
    "EYE": ("eye_left", "eye_right"),
    "MASK": ("hair", "cloth", "skin", "other", "mouth"),
}


def drawn_by(variant: str, parts: tuple[Part, ...]) -> list[Part]:
    """The parts that a variant draws: its roles in their order; all that is masked by "MASK" alone."""
    masked = variant == "MASK"
    return [part for role in VARIANTS[variant] for part in parts if part.role == role and part.masked == masked]


def uniforms(part: Part) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The values of u_material and u_wrap for one part."""
    material = MATERIALS[part.role]
    textured = 0.0 if part.texture < 0 else 1.0 if part.alpha else 2.0
    red, green, blue = material.wrap
    return (part.specular, part.gloss, material.rim, textured), (1 / (1 + red), 1 / (1 + green), 1 / (1 + blue))
