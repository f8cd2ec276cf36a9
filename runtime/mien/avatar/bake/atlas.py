"""A texture atlas for avatars whose materials would take more draw calls than the renderer promises."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.bake.submesh import Submesh
from mien.avatar.bake.textures import MARGIN, MAX_PERIODS, Rgba, SourceTexture, separate
from mien.avatar.gltf.images import bled, resized
from mien.core.mesh import GLASS_SPECULAR, Role, material_key

# The renderer promises at most 8 draw calls, one of them for the background.
MAX_KINDS: Final = 7
SHRINK: Final = 0.88
SIDES: Final = ((256, 256), (512, 256), (512, 512), (1024, 512), (1024, 1024), (2048, 1024), (2048, 2048))
SIDE_FOR: Final[dict[Role, int]] = {
    "skin": 1024, "hair": 1024, "cloth": 768, "other": 512, "mouth": 384, "eye_left": 384, "eye_right": 384
}  # fmt: skip
WHITE: Final = 8


def build_textures(submeshes: list[Submesh], sources: list[SourceTexture]) -> list[Rgba]:
    """The textures of an avatar: one for each source, or an atlas where there would be too many draw calls.

    Sets the submeshes' `texture` and UVs, and unifies their materials step by step until few enough are left.
    """
    for number, source in enumerate(sources):
        for submesh in source.submeshes:
            submesh.texture = number
    if _kinds(submeshes) > MAX_KINDS:
        _unify_specular(submeshes)
    if _kinds(submeshes) <= MAX_KINDS:
        return separate(sources) if sources else []
    untextured = any(submesh.texture == -1 for submesh in submeshes)
    atlas, white = pack(sources, untextured)
    for submesh in submeshes:
        if submesh.texture == -1:
            submesh.texture = 0
            submesh.uvs = np.tile(white, (len(submesh.uvs), 1)).astype(np.float32)
    for step in _STEPS:
        if _kinds(submeshes) > MAX_KINDS:
            step(submeshes)
    return [atlas]


def pack(sources: list[SourceTexture], untextured: bool) -> tuple[Rgba, NDArray[np.float32]]:
    """All sources in one texture with power-of-two sides. Changes the UVs of the sources' submeshes.

    untextured: reserve a white patch for submeshes without a texture. Its UV, (2,), is returned too.
    """
    for source in sources:
        _unroll(source)
    wanted = [_wanted(source) for source in sources] + ([(WHITE, WHITE)] if untextured else [])
    scale = 1.0
    while True:
        sizes = [(max(4, round(w * scale)), max(4, round(h * scale))) for w, h in wanted]
        for width, height in SIDES:
            spots = _shelves([(w + 2 * MARGIN, h + 2 * MARGIN) for w, h in sizes], width, height)
            if spots is not None:
                return _drawn(sources, sizes, spots, width, height)
        scale *= SHRINK


def _unroll(source: SourceTexture) -> None:
    """Replace a repeating texture by one that holds its repetitions, at most MAX_PERIODS each way."""
    if not source.repeats:
        return
    periods = np.clip(np.ceil(source.high), 1, MAX_PERIODS).astype(int)
    height, width = source.pixels.shape[:2]
    small = resized(source.pixels, max(4, width // int(periods[0])), max(4, height // int(periods[1])))
    source.pixels = np.tile(small, (int(periods[1]), int(periods[0]), 1))
    for submesh in source.submeshes:
        over = np.floor(submesh.uvs / periods) * periods
        beyond = submesh.uvs[submesh.tris.ravel()].max(axis=0) > periods
        submesh.uvs = ((submesh.uvs - np.where(beyond, over, 0)) / periods).astype(np.float32)


def _wanted(source: SourceTexture) -> tuple[int, int]:
    limit = max(SIDE_FOR[submesh.role] for submesh in source.submeshes)
    height, width = source.pixels.shape[:2]
    shrink = min(1.0, limit / max(width, height))
    return max(4, round(width * shrink)), max(4, round(height * shrink))


def _shelves(sizes: list[tuple[int, int]], width: int, height: int) -> list[tuple[int, int]] | None:
    """Shelf packing, tallest first: the (x, y) of each rectangle, or None when they do not fit."""
    spots = [(0, 0)] * len(sizes)
    x = y = shelf = 0
    for number in sorted(range(len(sizes)), key=lambda i: sizes[i][1], reverse=True):
        w, h = sizes[number]
        if x + w > width:
            x, y, shelf = 0, y + shelf, 0
        if w > width or y + h > height:
            return None
        spots[number] = (x, y)
        x, shelf = x + w, max(shelf, h)
    return spots


def _drawn(
    sources: list[SourceTexture], sizes: list[tuple[int, int]], spots: list[tuple[int, int]], width: int, height: int
) -> tuple[Rgba, NDArray[np.float32]]:
    atlas = np.zeros((height, width, 4), dtype=np.uint8)
    extent = np.array([width, height], dtype=np.float32)
    for source, (w, h), (x, y) in zip(sources, sizes, spots, strict=False):
        framed = np.pad(resized(source.pixels, w, h), ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), mode="edge")
        atlas[y : y + h + 2 * MARGIN, x : x + w + 2 * MARGIN] = framed
        for submesh in source.submeshes:
            inside = np.clip(submesh.uvs, 0, 1) * np.array([w, h], dtype=np.float32)
            placed = inside + np.array([x + MARGIN, y + MARGIN], dtype=np.float32)
            submesh.uvs = (placed / extent).astype(np.float32)
            submesh.texture = 0
    white = np.zeros(2, dtype=np.float32)
    if len(spots) > len(sources):
        x, y = spots[-1]
        atlas[y : y + WHITE + 2 * MARGIN, x : x + WHITE + 2 * MARGIN] = 255
        white = (np.array([x, y], dtype=np.float32) + MARGIN + WHITE / 2) / extent
    return bled(atlas), white


def _kinds(submeshes: list[Submesh]) -> int:
    return len({material_key(submesh) for submesh in submeshes})


def _unify_specular(submeshes: list[Submesh]) -> None:
    """Give all submeshes of a role the specular of the largest of them."""
    for group in _grouped(submeshes, lambda submesh: (submesh.role, submesh.alpha, _is_glass(submesh))):
        largest = max(group, key=lambda submesh: len(submesh.tris))
        for submesh in group:
            submesh.specular, submesh.gloss = largest.specular, largest.gloss


def _is_glass(submesh: Submesh) -> bool:
    return submesh.alpha and submesh.side == 0 and submesh.specular >= GLASS_SPECULAR


def _unify_sides(submeshes: list[Submesh]) -> None:
    for group in _grouped(submeshes, lambda submesh: (submesh.role, submesh.alpha, submesh.masked)):
        for submesh in group:
            submesh.double_sided = any(other.double_sided for other in group)


def _unify_transparent(submeshes: list[Submesh]) -> None:
    """Put everything blended into one draw call, everything alpha-tested into another."""
    for group in _grouped(submeshes, lambda submesh: (submesh.alpha, submesh.masked, _is_glass(submesh))):
        group = [submesh for submesh in group if submesh.side == 0]  # eyeballs turn, and stay apart
        if group and (group[0].alpha or group[0].masked):
            role: Role = max(group, key=lambda submesh: len(submesh.tris)).role
            for submesh in group:
                submesh.role, submesh.double_sided = role, True
            _unify_specular(group)


def _other_as_cloth(submeshes: list[Submesh]) -> None:
    for submesh in submeshes:
        if submesh.role == "other" and not submesh.alpha and not submesh.masked:
            submesh.role = "cloth"
    _unify_specular(submeshes)
    _unify_sides(submeshes)


_STEPS: Final = (_unify_sides, _unify_transparent, _other_as_cloth)


def _grouped(submeshes: list[Submesh], key: Callable[[Submesh], tuple[object, ...]]) -> list[list[Submesh]]:
    groups: dict[object, list[Submesh]] = {}
    for submesh in submeshes:
        groups.setdefault(key(submesh), []).append(submesh)
    return list(groups.values())
