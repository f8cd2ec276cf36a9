"""What is drawn alike: a surface, or one eyeball of it, with its role and its paint still to be chosen."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar import anatomy
from mien.avatar.looks import Look
from mien.avatar.scene import Surface
from mien.core.mesh import Role

# The first that a word of a surface's name agrees with. Brows and lashes are "other": hair's shine does not suit them.
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
class Piece:
    """tris: (F, 3), of surface.positions. side: 1 the left eyeball, -1 the right, 0 neither.

    uvs: (V, 2), of the texture that `texture` is the number of, -1 none. tint: linear RGB (V, 3) or (3,).
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
    def look(self) -> Look:
        """The material."""
        return self.surface.look

    @property
    def likeness(self) -> tuple[object, ...]:
        """What must agree for two pieces to be drawn in one call: both eyes are, the rest as the renderer joins it."""
        role = "eyes" if self.side else self.role
        return (self.alpha, self.masked, role, self.texture, self.specular, self.gloss, self.double_sided)


def pieces_of(surface: Surface, sides: NDArray[np.int8], turning: bool) -> list[Piece]:
    """turning: whether the eyes are balls, which the renderer turns; drawn ones stay with the face."""
    if not turning or not sides.any():
        return [_piece(surface, surface.tris, 0, flat_eye=bool(sides.any()))]
    corners = sides[surface.tris]
    whole = np.where(corners.min(axis=1) == corners.max(axis=1), corners[:, 0], 0)
    return [_piece(surface, surface.tris[whole == side], side) for side in (0, 1, -1) if (whole == side).any()]


def role_of(name: str, has_targets: bool) -> Role:
    """By the words of its name; what the shapes of a face move is skin."""
    spoken = anatomy.words(name)
    for role, words in ROLE_WORDS:
        if not words.isdisjoint(spoken):
            return role
    return "skin" if has_targets else "other"


def _piece(surface: Surface, tris: NDArray[np.int64], side: int, flat_eye: bool = False) -> Piece:
    look = surface.look
    role: Role = "other" if flat_eye else role_of(surface.name, bool(surface.targets))
    if side:
        role = "eye_left" if side > 0 else "eye_right"
    shine = 0.0 if look.painted else float(np.clip(0.45 * (1 - look.roughness), 0.03, 0.35))
    return Piece(
        surface=surface,
        tris=tris,
        side=side,
        role=role,
        uvs=surface.uvs,
        specular=SPECULAR_OF_EYE if side else round(shine, 2),
        gloss=GLOSS_OF_EYE if side else float(np.clip(round(2 / max(look.roughness, 0.08) ** 2), 4, 120)),
        double_sided=look.double_sided,
    )
