"""Hair roots painted on the scalp, so that the edge of the hair is not the edge of a mesh."""

import numpy as np

from generator.arrays import Floats
from generator.hair import root_line
from generator.look import Look
from generator.sculpt import Sculpt
from generator.unwrap import SIZE, Canvas, smoothstep, uvs

ROOTS, STEPS = 2600, 14
SMALL = 192


def hairline(canvas: Canvas, rng: np.random.Generator, look: Look, sculpt: Sculpt) -> tuple[Floats, Floats]:
    """Coverage, (SIZE, SIZE, 1) in 0..1, and the covering colour, (SIZE, SIZE, 3)."""
    line = uvs(root_line(look, sculpt)) * SIZE
    behind = _behind(line)
    roots = _strokes(canvas, rng, line, look)
    cover = np.clip(smoothstep(behind, -0.1, 1.3) + 0.9 * (1 - np.exp(-roots)) * smoothstep(behind, -1.0, 0.1), 0, 1)
    # Behind the ear, hair ends at the nape.
    cover *= smoothstep(canvas.y, -5.0, -3.4)
    grey = 0.7 * look.grey_temples * smoothstep(canvas.across, 5.6, 7.4)[..., None]
    # Fur has no hairline.
    color = look.skin if look.fur else look.hair
    tone = np.array(color, float) * 1.05 * (1 - grey) + np.array(look.grey, float) * grey
    return (0.97 * cover)[..., None], tone


def _behind(line: Floats) -> Floats:
    """The distance of each texel behind the hairline, approximately in cm; negative on the face."""
    at = (np.arange(SMALL) + 0.5) * SIZE / SMALL
    column, row = np.meshgrid(at, at)
    away = np.hypot(column[..., None] - line[:, 0], (row[..., None] - line[:, 1]) * 1.6).min(axis=-1) / 78
    inside = row < np.interp(column, line[:, 0], line[:, 1], right=SIZE)
    coarse = np.where(inside, away, -away)
    grid = np.clip(np.arange(SIZE) / SIZE * SMALL - 0.5, 0, SMALL - 1.001)
    i, f = grid.astype(int), grid % 1
    rows = coarse[i] * (1 - f)[:, None] + coarse[i + 1] * f[:, None]
    result: Floats = rows[:, i] * (1 - f) + rows[:, i + 1] * f
    return result


def _strokes(canvas: Canvas, rng: np.random.Generator, line: Floats, look: Look) -> Floats:
    """Short hairs that run back from the hairline and thin out towards the face."""
    which = rng.uniform(0, len(line) - 1.001, ROOTS)
    i, f = which.astype(int), (which % 1)[:, None]
    root = line[i] * (1 - f) + line[i + 1] * f
    across = (line[i + 1] - line[i])[:, ::-1] * np.array([1, -1])
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    root = root - across * (rng.normal(0, 1, ROOTS)[:, None] * 15 - 3)
    lean = rng.normal(0, 1.8 * look.hairline_unruly, ROOTS)[:, None, None]
    k = np.linspace(0, 1, STEPS)[None, :, None]
    sideways = np.stack([across[:, 1], -across[:, 0]], axis=1)[:, None]
    length = rng.uniform(10, 48, ROOTS)[:, None, None]
    path = (root[:, None] + (across[:, None] + lean * sideways * (0.4 + k)) * k * length).reshape(-1, 2)
    return canvas.dots_at(path[:, 0], path[:, 1], np.full(len(path), 0.30), np.full(len(path), 0.022))
