"""All coats on one texture, so that pieces that differ in nothing else can be drawn in one call."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from mien.avatar.paint import MARGIN, MAX_PERIODS, Coat, Rgba
from mien.avatar.pictures import bled, resized
from mien.core.mesh import Role

SHRINK: Final = 0.88
SIDES: Final = ((256, 256), (512, 256), (512, 512), (1024, 512), (1024, 1024), (2048, 1024), (2048, 2048))
SIDE_FOR: Final[dict[Role, int]] = {
    "skin": 1024, "hair": 1024, "cloth": 768, "other": 512, "mouth": 384, "eye_left": 384, "eye_right": 384
}  # fmt: skip
WHITE: Final = 8


def sheet(coats: list[Coat], bare: bool) -> tuple[Rgba, NDArray[np.float32]]:
    """One texture, sides powers of two. Changes the UVs of the coats' pieces.

    bare: whether there are pieces without a coat, which need white to point at: its UV (2,) is returned too.
    """
    for coat in coats:
        _unroll(coat)
    wanted = [_wanted(coat) for coat in coats] + ([(WHITE, WHITE)] if bare else [])
    scale = 1.0
    while True:
        sizes = [(max(4, round(w * scale)), max(4, round(h * scale))) for w, h in wanted]
        for width, height in SIDES:
            spots = _shelves([(w + 2 * MARGIN, h + 2 * MARGIN) for w, h in sizes], width, height)
            if spots is not None:
                return _drawn(coats, sizes, spots, width, height)
        scale *= SHRINK


def _unroll(coat: Coat) -> None:
    """A picture that repeats becomes one that holds its repetitions, up to a few."""
    if not coat.tiled:
        return
    periods = np.clip(np.ceil(coat.high), 1, MAX_PERIODS).astype(int)
    height, width = coat.tile.shape[:2]
    small = resized(coat.tile, max(4, width // int(periods[0])), max(4, height // int(periods[1])))
    coat.tile = np.tile(small, (int(periods[1]), int(periods[0]), 1))
    for piece in coat.pieces:
        over = np.floor(piece.uvs / periods) * periods
        beyond = piece.uvs[piece.tris.ravel()].max(axis=0) > periods
        piece.uvs = ((piece.uvs - np.where(beyond, over, 0)) / periods).astype(np.float32)


def _wanted(coat: Coat) -> tuple[int, int]:
    limit = max(SIDE_FOR[piece.role] for piece in coat.pieces)
    height, width = coat.tile.shape[:2]
    shrink = min(1.0, limit / max(width, height))
    return max(4, round(width * shrink)), max(4, round(height * shrink))


def _shelves(sizes: list[tuple[int, int]], width: int, height: int) -> list[tuple[int, int]] | None:
    """Where each rectangle goes, (x, y), tallest first in rows; None when they do not fit."""
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
    coats: list[Coat], sizes: list[tuple[int, int]], spots: list[tuple[int, int]], width: int, height: int
) -> tuple[Rgba, NDArray[np.float32]]:
    page = np.zeros((height, width, 4), dtype=np.uint8)
    extent = np.array([width, height], dtype=np.float32)
    for coat, (w, h), (x, y) in zip(coats, sizes, spots, strict=False):
        framed = np.pad(resized(coat.tile, w, h), ((MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0)), mode="edge")
        page[y : y + h + 2 * MARGIN, x : x + w + 2 * MARGIN] = framed
        for piece in coat.pieces:
            inside = np.clip(piece.uvs, 0, 1) * np.array([w, h], dtype=np.float32)
            piece.uvs = ((inside + np.array([x + MARGIN, y + MARGIN], dtype=np.float32)) / extent).astype(np.float32)
            piece.texture = 0
    white = np.zeros(2, dtype=np.float32)
    if len(spots) > len(coats):
        x, y = spots[-1]
        page[y : y + WHITE + 2 * MARGIN, x : x + WHITE + 2 * MARGIN] = 255
        white = (np.array([x, y], dtype=np.float32) + MARGIN + WHITE / 2) / extent
    return bled(page), white
