"""Which ARKit shapes the morph targets of a file stand for, whatever its exporter called them.

ARKit names in their usual spellings first, then other wordings of the same shapes; where a shape is still missing, the
visemes and expressions that come nearest. A target for both sides is split at the middle of the face.
"""

import re
from typing import Final, TypeAlias

from mien.avatar.name_tables import SPLIT, SUBSTITUTES, SYNONYMS
from mien.core.pose import ARKIT_SHAPES

# A shape to its (target, weight, side); side: +1 only the avatar's left half, -1 its right, 0 both.
Matches: TypeAlias = dict[str, list[tuple[str, float, int]]]
Expressions: TypeAlias = dict[str, list[tuple[str, float]]]

_BY_KEY: Final = {name.lower(): name for name in ARKIT_SHAPES}
_BY_LENGTH: Final = sorted(_BY_KEY, key=len, reverse=True)
# These end many other names (cornerMouthLeft), so that they count only after a separator.
_TOO_SHORT_TO_END: Final = frozenset({"jawleft", "jawright", "mouthleft", "mouthright"})


def plain(name: str) -> str:
    """A name without its object's, separators and capitals: "Head.eye_Blink-L" is "eyeblinkl"."""
    return re.sub(r"[^0-9a-z]", "", re.split(r"[.:|]", name)[-1].lower())


def _spellings(key: str) -> tuple[str, ...]:
    """A key, and what it is when a last l or r means a side."""
    sided = {"l": f"{key[:-1]}left", "r": f"{key[:-1]}right"}.get(key[-1:])
    return (key,) if sided is None else (key, sided)


def arkit_name(name: str) -> str | None:
    """The ARKit shape that a target's own name spells, or None.

    Reads eyeBlinkLeft, EyeBlink_L, eye_blink_left, blendShape1.eyeBlinkLeft, head_eyeBlink_L.
    """
    key = plain(name)
    for spelling in _spellings(key):
        if spelling in _BY_KEY:
            return _BY_KEY[spelling]
    if key in SYNONYMS:
        return SYNONYMS[key]
    return _behind_prefix(name, key)


def _behind_prefix(name: str, key: str) -> str | None:
    """The shape that a name ends in, after something else: only where a word starts there."""
    tail = re.split(r"[.:|]", name)[-1]
    kept = [at for at, character in enumerate(tail) if character.isascii() and character.isalnum()]
    for spelling in _spellings(key):
        for known in _BY_LENGTH:
            before = len(spelling) - len(known)
            if spelling.endswith(known) and 0 < before < len(kept):
                start = kept[before]
                apart = not tail[start - 1].isalnum()
                word = apart or tail[start].isupper() or tail[start - 1].isdigit()
                if apart or (word and known not in _TOO_SHORT_TO_END):
                    return _BY_KEY[known]
    return None


def match(names: list[str], expressions: Expressions) -> Matches:
    """The shapes that morph targets `names` and VRM `expressions` (name to its binds) give."""
    found: Matches = {}
    for name in names:
        shape = arkit_name(name)
        if shape is not None:
            found.setdefault(shape, [(name, 1.0, 0)])
    for expression, binds in expressions.items():
        shape = arkit_name(expression)
        if shape is not None:
            found.setdefault(shape, [(target, weight, 0) for target, weight in binds])
    _add_split(names, found)
    _add_substitutes(names, expressions, found)
    return found


def _add_split(names: list[str], found: Matches) -> None:
    whole = set(found)
    for name in names:
        shape, weight = SPLIT.get(plain(name), ("", 0.0))
        if shape and shape not in whole:
            found.setdefault(shape, []).append((name, weight, 0))


def _add_substitutes(names: list[str], expressions: Expressions, found: Matches) -> None:
    known: Expressions = {plain(name): [(name, 1.0)] for name in reversed(names)}
    known |= {plain(name): binds for name, binds in expressions.items()}
    for key, uses in SUBSTITUTES:
        for use in uses if key in known else ():
            if use.shape not in found:
                found[use.shape] = [(target, weight * use.weight, use.side) for target, weight in known[key]]
