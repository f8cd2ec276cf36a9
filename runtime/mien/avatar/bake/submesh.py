"""Submeshes: parts of a surface with a single role, welded for the renderer."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.bake import anatomy, geometry
from mien.avatar.gltf.materials import Material
from mien.avatar.gltf.scene import Surface
from mien.core.mesh import TOON_GLOSS, Role
from mien.errors import AvatarError

Floats = NDArray[np.float32]
MAX_VERTICES: Final = 65_535
FIRST_CELL_M, FULL_CELL_M, LAST_CELL_M, CELL_GROWTH = 0.0012, 0.005, 0.012, 1.35
# The first role with a word of the surface's name. Brows and lashes are "other": hair's specular does not suit them.
ROLE_WORDS: Final[tuple[tuple[Role, frozenset[str]], ...]] = (
    ("mouth", frozenset(["teeth", "tooth", "tongue", "mouth", "gum", "gums", "denture", "dentures"])),
    (
        "other",
        frozenset(
            ["brow", "brows", "eyebrow", "eyebrows", "lash", "lashes", "eyelash", "eyelashes", "eyeline", "eyeliner"]
        ),
    ),
    (
        "other",
        frozenset(["glasses", "eyewear", "headwear", "hat", "cap", "helmet", "mask", "earring", "earrings", "headset"]),
    ),
    ("hair", frozenset(["hair", "hairs", "hairback", "beard", "mustache", "moustache", "scalp", "fur"])),
    (
        "cloth",
        frozenset(
            [
                "cloth",
                "cloths",
                "clothes",
                "clothing",
                "shirt",
                "tshirt",
                "outfit",
                "outfits",
                "jacket",
                "dress",
                "suit",
                "top",
                "tops",
                "collar",
                "hood",
                "hoodie",
                "coat",
                "tie",
                "scarf",
                "sweater",
                "bottom",
                "bottoms",
                "onepiece",
                "shoes",
                "footwear",
                "uniform",
                "vest",
            ]
        ),
    ),
    ("skin", frozenset(["skin", "head", "face", "body", "neck", "ear", "ears", "nose", "avatar"])),
)
SPECULAR_OF_EYE, GLOSS_OF_EYE = 0.8, 160.0


@dataclass(kw_only=True)
class Submesh:
    """tris: (F, 3), into surface.positions. side: 1 the left eyeball, -1 the right, 0 neither.

    uvs: (V, 2), in the texture that `texture` is the index of; -1 for none.
    """

    surface: Surface
    tris: NDArray[np.int64]
    side: int
    role: Role
    uvs: NDArray[np.float32]
    specular: float
    gloss: float
    double_sided: bool
    texture: int = -1
    alpha: bool = False
    masked: bool = False

    @property
    def material(self) -> Material:
        """The material of its surface."""
        return self.surface.material


@dataclass(kw_only=True)
class WeldedSubmesh:
    """A submesh without duplicate vertices. vertices: (N,), into source.surface. tris: (F, 3), into `vertices`."""

    source: Submesh
    vertices: NDArray[np.int64]
    tris: NDArray[np.int64]

    @property
    def positions(self) -> Floats:
        """(N, 3)."""
        return self.source.surface.positions[self.vertices]

    @property
    def uvs(self) -> Floats:
        """(N, 2), clipped to +-64 because a fragment shader may hold them in half floats."""
        return np.clip(self.source.uvs[self.vertices], -64, 64)


def split_surface(surface: Surface, sides: NDArray[np.int8], turning: bool) -> list[Submesh]:
    """The submeshes of a surface. turning: the eyes are balls that the renderer turns; flat eyes stay with the face."""
    if not turning or not sides.any():
        return [_submesh(surface, surface.tris, 0, flat_eye=bool(sides.any()))]
    corners = sides[surface.tris]
    whole = np.where(corners.min(axis=1) == corners.max(axis=1), corners[:, 0], 0)
    return [_submesh(surface, surface.tris[whole == side], side) for side in (0, 1, -1) if (whole == side).any()]


def role_of(name: str, has_targets: bool) -> Role:
    """The role that the words of a name stand for; without one, "skin" where morph targets move it, else "other"."""
    spoken = anatomy.words(name)
    for role, words in ROLE_WORDS:
        if not words.isdisjoint(spoken):
            return role
    return "skin" if has_targets else "other"


def _gloss(material: Material, side: int) -> float:
    if side:
        return GLOSS_OF_EYE
    if material.toon:
        return TOON_GLOSS
    return float(np.clip(round(2 / max(material.roughness, 0.08) ** 2), 4, 120))


def _submesh(surface: Surface, tris: NDArray[np.int64], side: int, flat_eye: bool = False) -> Submesh:
    material = surface.material
    role: Role = "other" if flat_eye else role_of(surface.name, bool(surface.targets))
    if side:
        role = "eye_left" if side > 0 else "eye_right"
    specular = 0.0 if material.unlit else float(np.clip(0.45 * (1 - material.roughness), 0.03, 0.35))
    return Submesh(
        surface=surface,
        tris=tris,
        side=side,
        role=role,
        uvs=surface.uvs,
        specular=SPECULAR_OF_EYE if side else round(specular, 2),
        gloss=_gloss(material, side),
        double_sided=material.double_sided,
    )


def weld(submeshes: list[Submesh], scale: float) -> list[WeldedSubmesh]:
    """Weld submeshes, simplified until 16-bit indices reach every vertex. scale: metres per unit of the file.

    Raises AvatarError when too many vertices are left.
    """
    welded = [_welded(submesh) for submesh in submeshes]
    cell = FIRST_CELL_M / scale
    while sum(len(submesh.vertices) for submesh in welded) > MAX_VERTICES:
        if cell * scale > LAST_CELL_M:
            total = sum(len(submesh.vertices) for submesh in welded)
            raise AvatarError(f"{total} vertices on head and shoulders; at most {MAX_VERTICES} can be drawn. Reduce it")
        largest = sorted(welded, key=lambda submesh: (bool(submesh.source.surface.targets), -len(submesh.vertices)))
        for submesh in largest:
            if sum(len(other.vertices) for other in welded) > MAX_VERTICES:
                _simplify(submesh, cell, scale)
        cell *= CELL_GROWTH
    return [submesh for submesh in welded if len(submesh.tris)]


def normals_of(submesh: WeldedSubmesh, scale: float) -> Floats:
    """(N, 3): the file's normals, or smooth ones where it has none."""
    given = submesh.source.surface.normals
    computed = geometry.vertex_normals(submesh.positions, submesh.tris, geometry.places(submesh.positions * scale))
    if given is None:
        return computed
    normals = given[submesh.vertices]
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    return np.where(length > 0.1, normals / np.maximum(length, 0.1), computed).astype(np.float32)


def colors_of(submesh: WeldedSubmesh) -> NDArray[np.uint8]:
    """uint8 (N, 4), sRGB albedo, alpha 255."""
    surface = submesh.source.surface
    linear = np.tile(np.array(surface.material.factor[:3]), (len(submesh.vertices), 1))
    if surface.colors is not None:
        linear = linear * surface.colors[submesh.vertices]
    linear = np.clip(linear, 0, 1)
    srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 1e-6) ** (1 / 2.4) - 0.055)
    rgba = np.full((len(submesh.vertices), 4), 255, dtype=np.uint8)
    rgba[:, :3] = np.rint(srgb * 255)
    return rgba


def _welded(submesh: Submesh) -> WeldedSubmesh:
    """Join vertices that are equal in every attribute."""
    surface = submesh.surface
    used, flat = np.unique(submesh.tris, return_inverse=True)
    columns = [surface.positions[used], submesh.uvs[used]]
    if surface.normals is not None:
        columns.append(surface.normals[used])
    if surface.colors is not None:
        columns.append(surface.colors[used])
    columns += [deltas[used] for deltas in surface.targets.values() if deltas[used].any()]
    first, inverse = geometry.unique_rows(columns)
    tris = inverse[flat.reshape(-1, 3)]
    whole = (tris[:, 0] != tris[:, 1]) & (tris[:, 1] != tris[:, 2]) & (tris[:, 0] != tris[:, 2])
    return WeldedSubmesh(source=submesh, vertices=used[first], tris=tris[whole])


def _simplify(submesh: WeldedSubmesh, cell: float, scale: float) -> None:
    # Lips and lids lose detail last. Where even they must, the whole figure is simplified equally.
    keep = _moves(submesh) if cell * scale < FULL_CELL_M else np.zeros(len(submesh.vertices), dtype=bool)
    left, submesh.tris = geometry.clustered(submesh.positions, submesh.tris, cell, keep)
    submesh.vertices = submesh.vertices[left]


def _moves(submesh: WeldedSubmesh) -> NDArray[np.bool_]:
    moved = np.zeros(len(submesh.vertices), dtype=bool)
    for deltas in submesh.source.surface.targets.values():
        moved |= deltas[submesh.vertices].any(axis=1)
    return moved
