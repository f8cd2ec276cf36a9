"""Signed distances of the shapes that signs are made of. Pure."""

import numpy as np
from numpy.typing import NDArray

Grid = NDArray[np.float32]


def pixel_grid(size_px: int) -> tuple[Grid, Grid]:
    """x and y of every pixel's centre, in pixels from the middle of a square image; y points down."""
    axis = np.arange(size_px, dtype=np.float32) + np.float32(0.5 - size_px / 2)
    x, y = np.meshgrid(axis, axis)
    return x, y


def covered(distance_px: Grid) -> Grid:
    """Coverage of each pixel, 0..1, by the shape at this distance in pixels; negative is inside."""
    return np.asarray(np.clip(0.5 - distance_px, 0.0, 1.0), dtype=np.float32)


def segment(x: Grid, y: Grid, start: tuple[float, float], end: tuple[float, float], radius: float) -> Grid:
    """Distance to a line with round ends."""
    (x0, y0), (x1, y1) = start, end
    along_x, along_y = x1 - x0, y1 - y0
    share = np.clip(((x - x0) * along_x + (y - y0) * along_y) / (along_x**2 + along_y**2), 0.0, 1.0)
    return np.asarray(np.hypot(x - x0 - share * along_x, y - y0 - share * along_y) - radius, dtype=np.float32)


def box(x: Grid, y: Grid, left: float, top: float, right: float, bottom: float) -> Grid:
    """Distance to a rectangle, exact at its sides."""
    return np.maximum(np.maximum(left - x, x - right), np.maximum(top - y, y - bottom))
