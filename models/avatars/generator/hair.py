"""Hairstyles by name: solid pieces, soft pieces, root line."""

from generator import hair_bob, hair_swept
from generator.arrays import Floats
from generator.look import Look
from generator.piece import Piece
from generator.sculpt import Sculpt

SOLID = {"bob": hair_bob.solid, "short": hair_swept.short, "curls": hair_swept.curls}
SOFT = {"bob": hair_bob.soft}


def solid(look: Look, sculpt: Sculpt) -> list[Piece]:
    """The opaque pieces."""
    return SOLID[look.hair_style](look, sculpt)


def soft(look: Look, sculpt: Sculpt) -> list[Piece]:
    """The translucent loose strands, drawn last; empty for some styles."""
    return SOFT[look.hair_style](look, sculpt) if look.hair_style in SOFT else []


def root_line(look: Look, sculpt: Sculpt) -> Floats:
    """The hairline on the left half of the scalp, (N, 3), from the middle of the forehead to the sideburn."""
    return hair_swept.root_line(look.hair_style, sculpt)
