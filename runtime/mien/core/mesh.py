"""An avatar as the renderer draws it: plain arrays, independent of the file format.

Right-handed, +Y up, +Z towards the viewer (as glTF), in metres at human scale.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

GLASS_SPECULAR = 0.9
TOON_GLOSS = 1000.0
Role = Literal["skin", "eye_left", "eye_right", "mouth", "hair", "cloth", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A run of triangles drawn in one call.

    first_index, index_count: a range of Mesh.indices. texture: a position in Mesh.textures, or -1 for vertex colour
    alone. role: eye_left and eye_right are turned about Mesh.eye_pivots by the eyeLook channels, beside any morph
    target; the others choose the shading. specular 0..1, gloss: the Blinn-Phong exponent. alpha: blended, drawn last.
    masked: cut out where the texture's alpha is below half, for hair cards and lashes; never beside `alpha`. A blended
    part with a specular of at least GLASS_SPECULAR is glass: its highlight is opaque, however clear the glass.
    A part with a gloss of TOON_GLOSS has no highlight: it is shaded in two tones, as drawings are.
    """

    name: str
    first_index: int
    index_count: int
    role: Role = "other"
    texture: int = -1
    specular: float = 0.0
    gloss: float = 20.0
    alpha: bool = False
    double_sided: bool = False
    masked: bool = False


class Material(Protocol):
    """What decides how triangles are shaded. The fields are those of Part."""

    @property
    def role(self) -> Role: ...

    @property
    def texture(self) -> int: ...

    @property
    def specular(self) -> float: ...

    @property
    def gloss(self) -> float: ...

    @property
    def alpha(self) -> bool: ...

    @property
    def masked(self) -> bool: ...

    @property
    def double_sided(self) -> bool: ...


def material_key(material: Material) -> tuple[object, ...]:
    """A hashable key, equal for everything that one draw call can draw.

    Both eyeballs share a key: each vertex carries the eye that it belongs to.
    """
    role = "eyes" if material.role in ("eye_left", "eye_right") else material.role
    return (
        material.alpha,
        material.masked,
        role,
        material.texture,
        material.specular,
        material.gloss,
        material.double_sided,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MorphTarget:
    """What one channel adds to the neutral mesh at weight 1, for the vertices that it moves.

    vertices: uint16 (N,), ascending, without repeats. positions, normals: float32 (N, 3), deltas.
    """

    name: str
    vertices: NDArray[np.uint16]
    positions: NDArray[np.float32]
    normals: NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    """A whole avatar. V vertices, at most 65,535, because GLES 2.0 indices are ushort.

    positions, normals: float32 (V, 3). uvs: float32 (V, 2). colors: uint8 (V, 4), sRGB albedo and baked ambient
    occlusion in alpha (255: open). head_weights: float32 (V,), 1 turns with the head, 0 stays with the shoulders.
    indices: uint16 (I,), triangles, counter-clockwise seen from outside. textures: uint8 (H, W, 4), sRGB, each.
    targets: named after ARKIT_SHAPES; "breath" may be among them. neck_pivot: float32 (3,), what the head turns about.
    eye_pivots: float32 (2, 3), left eye first. frame_center: float32 (3,) and frame_height: what a camera must show.
    frame_width: the width that it must show as well, 0 for that of an ordinary head. eye_range: the share of the usual
    rotation that the eyeballs make, 0..1. background: the colours at the top and bottom of the screen, sRGB 0..1, where
    the avatar asks for its own.
    """

    name: str
    positions: NDArray[np.float32]
    normals: NDArray[np.float32]
    uvs: NDArray[np.float32]
    colors: NDArray[np.uint8]
    head_weights: NDArray[np.float32]
    indices: NDArray[np.uint16]
    parts: tuple[Part, ...]
    textures: tuple[NDArray[np.uint8], ...]
    targets: tuple[MorphTarget, ...]
    neck_pivot: NDArray[np.float32]
    eye_pivots: NDArray[np.float32]
    frame_center: NDArray[np.float32]
    frame_height: float
    frame_width: float = 0.0
    eye_range: float = 1.0
    background: tuple[tuple[float, float, float], tuple[float, float, float]] | None = None
