"""Shapes matched to the morph targets that move something.

Some exporters write all 52 names with empty targets for what they lack. An empty target counts as absent, so that a
viseme or an expression stands in for it.
"""

from typing import Final

import numpy as np

from mien.avatar.bake.names import Expressions, Matches, match
from mien.avatar.bake.submesh import role_of
from mien.avatar.gltf.scene import Surface

# Of the furthest movement of any target: below the first a target is rounding error; a jaw that moves the skin less
# than the second moves teeth or a tongue alone.
LEAST_MOVE: Final = 0.002
LEAST_JAW: Final = 0.08
MAX_LISTED: Final = 8


def match_moving(names: list[str], expressions: Expressions, surfaces: list[Surface], notes: list[str]) -> Matches:
    """As names.match(), with targets that move nothing left out; those with a shape's name are noted."""
    reach = _reach(surfaces)
    moving = {name for name, far in reach.items() if far > LEAST_MOVE * max(reach.values())}
    matches = _matched(names, expressions, moving)
    empty = sorted(set(match(names, {})) & (set(reach) - moving))
    stiff = _stiff_jaw(surfaces, matches, max(reach.values(), default=0.0))
    if stiff:
        matches = _matched(names, expressions, moving - stiff)
        empty += sorted(stiff)
    if empty:
        listed = ", ".join(empty[:MAX_LISTED]) + (", ..." if len(empty) > MAX_LISTED else "")
        notes.append(f"{len(empty)} shapes are in the file and move nothing, as if they were missing: {listed}")
    return matches


def _matched(names: list[str], expressions: Expressions, moving: set[str]) -> Matches:
    bound = {name: [bind for bind in binds if bind[0] in moving] for name, binds in expressions.items()}
    return match([name for name in names if name in moving], {name: binds for name, binds in bound.items() if binds})


def _reach(surfaces: list[Surface]) -> dict[str, float]:
    """How far each target moves any vertex."""
    reach: dict[str, float] = {}
    for surface in surfaces:
        for name, deltas in surface.targets.items():
            reach[name] = max(reach.get(name, 0.0), float(np.linalg.norm(deltas, axis=1).max(initial=0)))
    return reach


def _stiff_jaw(surfaces: list[Surface], matches: Matches, most: float) -> set[str]:
    """The targets of jawOpen, if together they leave the skin where it is."""
    targets = {target for target, _, _ in matches.get("jawOpen", ())}
    skin = _reach([surface for surface in surfaces if role_of(surface.name, True) != "mouth"])
    return set() if max((skin.get(name, 0.0) for name in targets), default=most) > LEAST_JAW * most else targets
