"""Colour: the skin's vertex colours by region, and its texture of brows, blush, freckles and pores.

The texture is laid on from the front (u along x, v down along y) and multiplies the vertex colours, so that it can
only darken; the sides of the head get its border, which is white.
"""

import numpy as np

from generator.look import Look
from generator.skin import Skin

SIZE = 1024
WINDOW = (-7.8, 7.8, -12.0, 6.6)  # x from, x to, y from, y to


def skin_uvs(points: np.ndarray) -> np.ndarray:
    x0, x1, y0, y1 = WINDOW
    return np.clip(np.stack([(points[:, 0] - x0) / (x1 - x0), (y1 - points[:, 1]) / (y1 - y0)], axis=1), 0.002, 0.998)


def _step(x: np.ndarray, low: float, high: float) -> np.ndarray:
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _mix(colors: np.ndarray, to: tuple | np.ndarray, weight: np.ndarray) -> np.ndarray:
    w = weight[:, None]
    return colors * (1 - w) + np.array(to, float) * w


def skin_colors(skin: Skin, look: Look) -> np.ndarray:
    """(V, 3): base, warmth where blood shows, lips, lids and the wet inside of the lips."""
    cage, points = skin.cage, skin.points
    x, y, z = np.abs(points[:, 0]), points[:, 1], points[:, 2]
    base = np.array(look.skin, float)
    colors = np.tile(base, (len(points), 1))
    front = _step(z, 2.0, 5.0)

    def blob(cx: float, cy: float, rx: float, ry: float) -> np.ndarray:
        return np.exp(-(((x - cx) / rx) ** 2) - ((y - cy) / ry) ** 2) * front

    blush = np.array(look.blush, float)
    colors = _mix(
        colors,
        blush,
        0.30 * blob(4.1, -3.2, 1.7, 1.3)
        + 0.22 * blob(0, -look.proportions.nose_length, 1.0, 0.8)
        + 0.08 * blob(0, -9.4, 1.4, 0.9),
    )
    colors = _mix(colors, base * np.array([0.93, 0.86, 0.86]), 0.55 * blob(3.1, -1.75, 1.5, 0.5))
    colors = _mix(colors, blush * 0.94, 0.28 * blob(3.4, 1.5, 1.9, 0.55))
    colors = _mix(
        colors, base * np.array([0.80, 0.70, 0.68]), 0.9 * blob(0.60, -look.proportions.nose_length - 0.80, 0.36, 0.20)
    )

    lips = _ring_weight(skin, [cage.mouth[r] for r in (3, 4, 5)])
    colors = _mix(colors, look.lips, 0.94 * _step(lips, 0.10, 0.42))
    wet = _ring_weight(skin, [cage.mouth[r] for r in (4, 5)])
    colors = _mix(colors, np.array(look.lips) * np.array([0.72, 0.58, 0.58]), _step(wet, 0.30, 0.75))
    inner = _ring_weight(skin, [cage.mouth[5]])
    colors = _mix(colors, np.array(look.lips) * np.array([0.46, 0.34, 0.34]), _step(inner, 0.3, 0.9))
    for side in (1, -1):
        colors = _lids(colors, skin, side, look)
    return np.clip(colors, 0, 255)


def _ring_weight(skin: Skin, rings: list[np.ndarray]) -> np.ndarray:
    member = np.zeros(len(skin.cage.points))
    member[np.concatenate(rings)] = 1.0
    return skin.spread(member)


def _lids(colors: np.ndarray, skin: Skin, side: int, look: Look) -> np.ndarray:
    rings = skin.cage.eyes[side]
    base = np.array(look.skin, float)
    colors = _mix(
        colors, base * np.array([0.93, 0.80, 0.78]), 0.5 * _step(_ring_weight(skin, [rings[2], rings[3]]), 0.2, 0.9)
    )
    edge = _ring_weight(skin, [rings[4], rings[5]])
    colors = _mix(colors, base * np.array([0.86, 0.64, 0.62]), _step(edge, 0.25, 0.8))
    upper = _ring_weight(skin, [rings[3][0:7], rings[4][0:7]])
    colors = _mix(colors, look.lash, 0.85 * _step(upper, 0.50, 0.85))
    lower = _ring_weight(skin, [rings[3][7:], rings[3][:1]])
    return _mix(colors, np.array(look.lash) * 0.4 + base * 0.4, 0.25 * _step(lower, 0.3, 0.8))


def skin_texture(look: Look) -> np.ndarray:
    """uint8 (SIZE, SIZE, 4)."""
    rng = np.random.default_rng(look.seed)
    picture = np.ones((SIZE, SIZE, 3))
    base = np.array(look.skin, float)
    # On the sides of the head the picture is stretched: grain would turn into streaks there.
    front = _step(6.2 - np.abs(_cm()[0]), 0.0, 2.0)[..., None]
    picture *= 1 - front * 0.022 * smooth_noise(rng, SIZE, 160)[..., None]
    picture *= 1 - front * 0.03 * smooth_noise(rng, SIZE, 22)[..., None] * np.array([0.6, 1.0, 1.0])
    if look.freckles:
        picture *= 1 - _freckles(rng, look)[..., None] * np.array([0.16, 0.30, 0.36])
    if look.stubble:
        picture *= 1 - _stubble(rng, look)[..., None] * np.array([0.30, 0.26, 0.22])
    picture *= 1 - _lip_lines(rng)[..., None] * np.array([0.5, 0.7, 0.7])
    picture *= 1 - _nose_lines(look)[..., None] * np.array([0.62, 0.80, 0.82])
    brows = _brows(rng, look)[..., None]
    picture = picture * (1 - brows) + np.clip(np.array(look.brow) / base, 0, 1) * brows
    edge = np.clip(np.minimum(np.arange(SIZE), np.arange(SIZE)[::-1]) / 60, 0, 1)
    rim = np.minimum(edge[:, None], edge[None])[..., None]
    picture = 1 - (1 - picture) * rim
    out = np.full((SIZE, SIZE, 4), 255, dtype=np.uint8)
    out[..., :3] = np.clip(np.rint(picture * 255 / 2) * 2, 0, 255)
    return out


def smooth_noise(rng: np.random.Generator, size: int, cells: int) -> np.ndarray:
    """Smooth value noise, 0..1."""
    coarse = rng.random((cells + 2, cells + 2))
    at = np.linspace(0, cells, size)
    i, f = at.astype(int), at % 1
    f = f * f * (3 - 2 * f)
    rows = coarse[i] * (1 - f)[:, None] + coarse[i + 1] * f[:, None]
    return rows[:, i] * (1 - f) + rows[:, i + 1] * f


def _pixels(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x0, x1, y0, y1 = WINDOW
    return (x - x0) / (x1 - x0) * SIZE, (y1 - y) / (y1 - y0) * SIZE


def _cm() -> tuple[np.ndarray, np.ndarray]:
    x0, x1, y0, y1 = WINDOW
    at = (np.arange(SIZE) + 0.5) / SIZE
    return np.meshgrid(x0 + at * (x1 - x0), y1 - at * (y1 - y0))


def _splat(x: np.ndarray, y: np.ndarray, weight: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """Soft dots of `radius` pixels added up."""
    canvas = np.zeros((SIZE, SIZE))
    reach = int(np.ceil(radius.max() * 2))
    px, py = _pixels(x, y)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            ix, iy = np.floor(px).astype(int) + dx, np.floor(py).astype(int) + dy
            r2 = (ix + 0.5 - px) ** 2 + (iy + 0.5 - py) ** 2
            inside = (ix >= 0) & (ix < SIZE) & (iy >= 0) & (iy < SIZE)
            np.add.at(canvas, (iy[inside], ix[inside]), (weight * np.exp(-r2 / radius**2))[inside])
    return canvas


def brow_line(t: np.ndarray, look: Look) -> tuple[np.ndarray, np.ndarray]:
    """The brow's middle, t 0 at the nose to 1 at the tail: x and y in cm."""
    arch = look.brow_arch
    x = np.interp(t, [0, 0.3, 0.62, 1], [1.30, 2.7, 4.3, 5.85])
    y = np.interp(t, [0, 0.2, 0.4, 0.62, 0.8, 1], np.array([0.14, 0.34, 0.52, 0.64, 0.46, -0.08]) * (0.7 + arch)) + 2.45
    kernel = np.ones(9) / 9
    if t.size > 9:
        pad = np.pad(y, 4, mode="reflect", reflect_type="odd")
        y = np.convolve(pad, kernel, mode="valid")
    return x, y


def _brows(rng: np.random.Generator, look: Look) -> np.ndarray:
    """Coverage 0..1 of both brows: a soft bed and hundreds of single hairs."""
    grid = np.linspace(0, 1, 200)
    line_x, line_y = brow_line(grid, look)
    bed_t = np.linspace(0.01, 0.97, 420)
    half = look.brow_thickness * np.interp(bed_t, [0, 0.12, 0.5, 1], [0.75, 1.0, 0.9, 0.22])
    xs, ys, ws, rs = [], [], [], []
    for offset in (-0.5, 0, 0.5):
        xs.append(np.interp(bed_t, grid, line_x)), ys.append(np.interp(bed_t, grid, line_y) + offset * half)
        (
            ws.append(np.full(420, 0.05) * np.interp(bed_t, [0, 0.22, 1], [0.1, 1, 1])),
            rs.append(np.full(420, 8.0) * half / look.brow_thickness + 2),
        )
    hairs, steps = 340, 26
    t = rng.random(hairs) ** 0.9 * 0.97
    spread = rng.uniform(-1, 1, hairs)
    width = look.brow_thickness * np.interp(t, [0, 0.12, 0.5, 1], [0.8, 1.0, 0.9, 0.22])
    root_x, root_y = np.interp(t, grid, line_x), np.interp(t, grid, line_y) + spread * width * 0.85 - 0.06
    lean = (
        np.radians(np.interp(t, [0, 0.15, 0.5, 1], [82, 58, 22, -18]))
        - 0.45 * spread * (spread > 0)
        + rng.normal(0, 0.12, hairs)
    )
    length = rng.uniform(0.42, 0.68, hairs) * np.interp(t, [0, 0.5, 1], [0.85, 1, 0.75])
    k = np.linspace(0, 1, steps)[None]
    bend = lean[:, None] - 0.55 * k * (spread[:, None] + 0.3)
    xs.append((root_x[:, None] + length[:, None] * k * np.cos(bend)).ravel())
    ys.append((root_y[:, None] + length[:, None] * k * np.sin(bend)).ravel())
    ws.append((0.36 * (1 - 0.65 * k) * np.interp(t, [0, 0.18], [0.45, 1])[:, None]).ravel())
    rs.append(np.broadcast_to(1.35 * (1 - 0.5 * k), (hairs, steps)).ravel())
    x, y, w, r = map(np.concatenate, (xs, ys, ws, rs))
    bed = len(bed_t) * 3
    amount = _splat(x[:bed], y[:bed], w[:bed], r[:bed]) + _splat(x[bed:], y[bed:], w[bed:], r[bed:])
    coverage = 1 - np.exp(-1.15 * amount)
    return np.clip(np.maximum(coverage, coverage[:, ::-1]), 0, 0.97)


def _freckles(rng: np.random.Generator, look: Look) -> np.ndarray:
    count = 260
    x, y = rng.normal(0, 2.7, count), rng.normal(-2.6, 0.95, count)
    y -= 0.06 * np.abs(x)
    size = rng.uniform(1.3, 3.4, count)
    return np.clip(_splat(x, y, rng.uniform(0.25, 0.8, count) * look.freckles, size), 0, 1)


def _stubble(rng: np.random.Generator, look: Look) -> np.ndarray:
    x, y = _cm()
    jaw = (
        _step(-y, 4.3, 6.0)
        * (1 - _step(-y, 11.2, 12.0))
        * (1 - 0.65 * np.exp(-((x / 1.9) ** 2) - ((y + 6.65) / 0.9) ** 2))
    )
    cheek = 1 - np.exp(-(((np.abs(x) - 3.4) / 1.5) ** 2) - ((y + 4.6) / 1.5) ** 2)
    return look.stubble * jaw * cheek * (0.75 + 0.25 * smooth_noise(rng, SIZE, 340))


def _nose_lines(look: Look) -> np.ndarray:
    """Nostrils and the crease behind each wing: finer than the mesh, so they are painted."""
    x, y = _cm()
    x, p = np.abs(x), look.proportions
    dx, dy = x - p.nose_width * 0.70, y + p.nose_length + 0.74
    turned = dx * 0.94 + dy * 0.34, dy * 0.94 - dx * 0.34
    nostril = 1 - _step(np.hypot(turned[0] / 0.30, turned[1] / 0.125), 0.45, 1.25)
    wx, wy = x - p.nose_width * 1.02, y + p.nose_length + 0.24
    arc = np.exp(-(((np.hypot(wx, wy * 0.95) - 0.60) / 0.13) ** 2)) * _step(wx, 0.0, 0.5)
    return np.clip(0.85 * nostril + 0.15 * arc, 0, 1)


def _lip_lines(rng: np.random.Generator) -> np.ndarray:
    x, y = _cm()
    mouth = np.exp(-((x / 2.1) ** 4) - ((y + 6.6) / 0.8) ** 4)
    lines = smooth_noise(rng, SIZE, 200)[200]
    return 0.16 * mouth * (lines[None, :] ** 2)
