"""Hairstyles by name: solid pieces, soft pieces, root line."""

from generator import hair_bob, hair_bun, hair_fringe, hair_fur, hair_swept
from generator.arrays import Floats
from generator.look import Look
from generator.piece import Piece
from generator.sculpt import Sculpt

SOLID = {
    "bob": hair_bob.solid,
    "short": hair_swept.short,
    "curls": hair_swept.curls,
    "bun": hair_bun.solid,
    "fringe": hair_fringe.solid,
    "fur": hair_fur.solid,
}
SOFT = {"bob": hair_bob.soft}
# Fur has ears of its own.
COVERS_EARS = ("bob", "fur")


def solid(look: Look, sculpt: Sculpt) -> list[Piece]:
    """The opaque pieces."""
    return SOLID[look.hair_style](look, sculpt)


def soft(look: Look, sculpt: Sculpt) -> list[Piece]:
    """The translucent loose strands, drawn last; empty for some styles."""
    return SOFT[look.hair_style](look, sculpt) if look.hair_style in SOFT else []


def root_line(look: Look, sculpt: Sculpt) -> Floats:
    """The hairline on the left half of the scalp, (N, 3), from the middle of the forehead to the sideburn."""
    return hair_swept.root_line(look.hair_style, sculpt)
