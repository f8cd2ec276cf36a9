"""What is drawn in which order: a mesh's parts put together into as few draw calls as look the same. Pure."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mien.core.mesh import Part, material_key

# Background and overlay included: a Pi 3 spends more on a call than on its triangles.
MAX_DRAW_CALLS = 8
# Specular up to which cloth and lashes cannot be told apart by their shine: they share a call.
_DULL = 0.06


def plan(parts: tuple[Part, ...], indices: NDArray[np.uint16]) -> tuple[tuple[Part, ...], NDArray[np.uint16]]:
    """Join parts that are drawn alike, opaque ones first, and put their indices in that order.

    Returns the joined parts and the indices they point into.
    """
    groups: dict[tuple[object, ...], list[Part]] = {}
    for part in sorted(parts, key=lambda part: part.alpha):
        groups.setdefault(_draw_call(part), []).append(part)
    joined: list[Part] = []
    runs: list[NDArray[np.uint16]] = []
    first = 0
    for members in groups.values():
        runs += [indices[part.first_index : part.first_index + part.index_count] for part in members]
        count = sum(part.index_count for part in members)
        both_sides = any(part.double_sided for part in members)
        joined.append(replace(members[0], first_index=first, index_count=count, double_sided=both_sides))
        first += count
    return tuple(joined), np.concatenate(runs) if runs else indices[:0]


def _draw_call(part: Part) -> tuple[object, ...]:
    if part.role in ("cloth", "other") and part.texture < 0 and not part.alpha and part.specular <= _DULL:
        return ("dull",)
    return material_key(part)
