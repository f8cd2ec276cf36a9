"""Stands in for segno where that is not installed: a pattern of the right size instead of a code."""

import random
from types import SimpleNamespace


def make(text, *, error, micro):
    """Modules as segno gives them: 0 light, 1 dark. Versions by the length of the text, as at level M."""
    assert (error, micro) == ("m", False)
    if len(text) > 300:
        raise ValueError("too long")
    side = 25 if len(text) <= 26 else 29 if len(text) <= 42 else 69
    pattern = random.Random(text)
    return SimpleNamespace(matrix=tuple(bytearray(pattern.choices((0, 1), k=side)) for _ in range(side)))
