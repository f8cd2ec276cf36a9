"""Eyebrows, painted hair by hair."""

import numpy as np

from generator.arrays import Floats
from generator.look import Look
from generator.unwrap import Canvas

HAIRS, STEPS = 300, 30


def brow_line(t: Floats, look: Look) -> tuple[Floats, Floats]:
    """The centre line of the brow, x and y in cm, for t from 0 at the nose to 1 at the tail."""
    x = np.interp(t, [0, 0.3, 0.62, 1], [1.25, 2.7, 4.3, 5.75]) + 0.8 * (look.proportions.eye_x - 3.42)
    rise = np.array([0.10, 0.34, 0.55, 0.68, 0.50, -0.06]) * (0.7 + look.brow_arch)
    y = np.interp(t, [0, 0.2, 0.4, 0.62, 0.8, 1], rise) + look.brow_y
    if t.size > 9:
        pad = np.pad(y, 8, mode="reflect", reflect_type="odd")
        y = np.convolve(pad, np.ones(17) / 17, mode="valid")
    return x, y


def brows(canvas: Canvas, rng: np.random.Generator, look: Look) -> Floats:
    """The coverage of the brow, 0..1: a soft base and hundreds of single hairs."""
    coverage = 1 - np.exp(-1.25 * (_bed(canvas, look) + _hairs(canvas, rng, look)))
    result: Floats = np.clip(coverage, 0, 0.96)
    return result


def _half_width(t: Floats, look: Look) -> Floats:
    return look.brow_thickness * np.interp(t, [0, 0.15, 0.5, 0.8, 1], [0.72, 1.0, 0.92, 0.55, 0.16])


def _bed(canvas: Canvas, look: Look) -> Floats:
    grid = np.linspace(0, 1, 200)
    line_x, line_y = brow_line(grid, look)
    t = np.linspace(0.01, 0.98, 300)
    half = _half_width(t, look)
    fade = 0.055 * np.interp(t, [0, 0.25, 0.9, 1], [0.12, 1, 1, 0.5])
    x, y = np.interp(t, grid, line_x), np.interp(t, grid, line_y)
    at = np.concatenate([y + share * half for share in (-0.5, 0.0, 0.5)])
    return canvas.dots(np.tile(x, 3), at, np.tile(fade, 3), np.tile(0.34 * half + 0.02, 3))


def _hairs(canvas: Canvas, rng: np.random.Generator, look: Look) -> Floats:
    """Hairs stand up at the nose, follow the arch, and converge towards the tail."""
    grid = np.linspace(0, 1, 200)
    line_x, line_y = brow_line(grid, look)
    t = rng.random(HAIRS) ** 0.9 * 0.97
    spread = rng.uniform(-1, 1, HAIRS)
    root_x = np.interp(t, grid, line_x)
    root_y = np.interp(t, grid, line_y) + spread * _half_width(t, look) * 0.85 - 0.06
    lean = np.radians(np.interp(t, [0, 0.15, 0.5, 1], [82, 56, 22, -8])) - 0.45 * np.maximum(spread, 0)
    lean += rng.normal(0, 0.10, HAIRS)
    length = rng.uniform(0.40, 0.64, HAIRS) * np.interp(t, [0, 0.5, 1], [0.85, 1, 0.75])
    k = np.linspace(0, 1, STEPS)[None]
    bend = lean[:, None] - 0.55 * k * (spread[:, None] + 0.3)
    x = root_x[:, None] + length[:, None] * k * np.cos(bend)
    y = root_y[:, None] + length[:, None] * k * np.sin(bend)
    weight = 0.34 * (1 - 0.65 * k) * np.interp(t, [0, 0.18], [0.5, 1])[:, None]
    radius = np.broadcast_to(0.024 * (1 - 0.45 * k), x.shape)
    return canvas.dots(x.ravel(), y.ravel(), weight.ravel(), radius.ravel())
