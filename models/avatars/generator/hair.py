"""Hairstyles by name: what hides the scalp, what softens its edges, and where the hair begins."""

from generator import hair_bob, hair_swept
from generator.arrays import Floats
from generator.look import Look
from generator.piece import Piece
from generator.sculpt import Sculpt

SOLID = {"bob": hair_bob.solid, "short": hair_swept.short, "curls": hair_swept.curls}
SOFT = {"bob": hair_bob.soft, "curls": hair_swept.curls_soft}


def solid(look: Look, sculpt: Sculpt) -> list[Piece]:
    """The pieces that hide what is behind them."""
    return SOLID[look.hair_style](look, sculpt)


def soft(look: Look, sculpt: Sculpt) -> list[Piece]:
    """Loose strands, drawn last; none for some styles."""
    return SOFT[look.hair_style](look, sculpt) if look.hair_style in SOFT else []


def root_line(look: Look, sculpt: Sculpt) -> Floats:
    """The hairline on the left half of the scalp (N, 3), from the forehead's middle down to the sideburn."""
    return hair_swept.root_line(look.hair_style, sculpt)
