"""The skin texture: detail finer than the mesh. It multiplies the vertex colours; its alpha scales the specular."""

import numpy as np

from generator.arrays import Floats, Pixels
from generator.brows import brows
from generator.cage import STOMION_Y
from generator.hairline import hairline
from generator.look import Look
from generator.skin import Skin
from generator.unwrap import SIZE, Canvas, smoothstep

# Factors on the part's specular: matt skin, the oilier middle of the face, moist lips.
MATT, OILY, MOIST = 0.36, 0.55, 1.0


def skin_texture(look: Look, skin: Skin) -> Pixels:
    """uint8 (SIZE, SIZE, 4)."""
    canvas, rng = Canvas(skin.sculpt), np.random.default_rng(look.seed)
    texture = np.ones((SIZE, SIZE, 3))
    base = np.array(look.skin, float)
    texture *= 1 - 0.020 * smooth_noise(rng, SIZE, 190)[..., None]
    texture *= 1 - 0.045 * smooth_noise(rng, SIZE, 26)[..., None] * np.array([0.3, 0.9, 1.0])
    if look.fur:
        texture *= 1 - look.fur * _fur(rng)[..., None] * np.array([0.24, 0.20, 0.20])
    if look.freckles:
        texture *= 1 - _freckles(canvas, rng, look)[..., None] * np.array([0.16, 0.30, 0.36])
    if look.age_lines:
        texture *= 1 - look.age_lines * _age_lines(canvas, look)[..., None] * np.array([0.30, 0.42, 0.46])
    if look.beard:
        cover = _beard(canvas, rng, look)[..., None]
        texture *= 1 - cover + cover * np.clip(np.array(look.beard_color) / base, 0, 1)
    if look.fur == 0:
        texture *= 1 - _lip_lines(canvas, rng)[..., None] * np.array([0.4, 0.7, 0.7])
    texture *= 1 - _nose_lines(canvas, look)[..., None] * np.array([0.55, 0.76, 0.78])
    hairs = (brows(canvas, rng, look) if look.brow_thickness else np.zeros((SIZE, SIZE)))[..., None]
    texture = texture * (1 - hairs) + np.clip(np.array(look.brow) / base, 0, 1) * hairs
    scalp, tone = hairline(canvas, rng, look, skin.sculpt)
    texture = texture * (1 - scalp) + np.clip(tone / base, 0, 1) * scalp
    # Below the chin, the whole neck maps to the last row, which must be plain skin.
    texture = 1 - (1 - texture) * smoothstep(np.arange(SIZE)[::-1], 22, 48)[:, None, None]
    # Mipmaps mix the first rows with the last.
    texture[: SIZE // 50] = 1.0
    out = np.empty((SIZE, SIZE, 4), dtype=np.uint8)
    out[..., :3] = np.clip(np.rint(texture * 255 / 2) * 2, 0, 255)
    shine = _shine(canvas, look) * _pores(rng) * (1 - 0.9 * np.maximum(hairs, scalp)[..., 0])
    out[..., 3] = np.rint(np.clip(shine, 0, 1) * 21) * 12
    return out


def _fur(rng: np.random.Generator) -> Floats:
    """Short hairs that lie downwards, in clumps, 0..1."""
    rows = np.linspace(0, 1, SIZE)[:, None]
    lean = (0.010 * np.sin(9 * rows) + 0.006 * np.sin(23 * rows + 1)) * SIZE
    column = (np.arange(SIZE)[None] + lean).astype(int) % SIZE
    total = np.zeros((SIZE, SIZE))
    for across, down, weight in ((300, 40, 0.6), (110, 22, 0.4)):
        coarse = rng.random((down + 2, across + 2))
        at, height = np.linspace(0, across, SIZE), np.linspace(0, down, SIZE)
        i, f = height.astype(int), (height % 1)[:, None]
        wide = np.stack([np.interp(at, np.arange(across + 2), line) for line in coarse])
        total += weight * (wide[i] * (1 - f) + wide[i + 1] * f)
    combed: Floats = np.take_along_axis(total, column, axis=1)
    return combed


def _pores(rng: np.random.Generator) -> Floats:
    """What pores and patches of moisture leave of the specular: a smooth highlight would look like plastic."""
    return 1.12 - 0.34 * smooth_noise(rng, SIZE, 230) - 0.30 * smooth_noise(rng, SIZE, 18)


def smooth_noise(rng: np.random.Generator, size: int, cells: int) -> Floats:
    """Smooth value noise in 0..1."""
    coarse = rng.random((cells + 2, cells + 2))
    at = np.linspace(0, cells, size)
    i, f = at.astype(int), at % 1
    f = f * f * (3 - 2 * f)
    rows = coarse[i] * (1 - f)[:, None] + coarse[i + 1] * f[:, None]
    result: Floats = rows[:, i] * (1 - f) + rows[:, i + 1] * f
    return result


def _blob(canvas: Canvas, cx: float, cy: float, rx: float, ry: float) -> Floats:
    return np.exp(-(((canvas.x - cx) / rx) ** 2) - ((canvas.y - cy) / ry) ** 2)


def _lips(canvas: Canvas, look: Look) -> Floats:
    half = look.proportions.mouth_half_width * 1.05
    high, low = 0.72 * look.proportions.lip_fullness, 0.95 * look.proportions.lip_fullness
    y = canvas.y - STOMION_Y
    reach = np.hypot(canvas.x / half, y / np.where(y > 0, high, low))
    return 1 - smoothstep(reach, 0.7, 1.05)


def _shine(canvas: Canvas, look: Look) -> Floats:
    nose_y = -look.proportions.nose_length
    oily = _blob(canvas, 0, nose_y, 0.9, 1.6) + _blob(canvas, 0, 4.0, 3.0, 2.4)
    shine = MATT + (OILY - MATT) * np.clip(oily, 0, 1)
    lips = _lips(canvas, look)
    result: Floats = shine * (1 - lips) + MOIST * lips
    return result


def _freckles(canvas: Canvas, rng: np.random.Generator, look: Look) -> Floats:
    count = 150
    x, y = np.abs(rng.normal(0, 2.7, count)), rng.normal(-2.7, 0.9, count)
    y -= 0.06 * x
    size = rng.uniform(0.02, 0.05, count)
    return np.clip(canvas.dots(x, y, rng.uniform(0.25, 0.8, count) * look.freckles, size), 0, 1)


def _age_lines(canvas: Canvas, look: Look) -> Floats:
    """Soft nasolabial folds, two forehead lines and crow's feet."""
    x, y, p = canvas.x, canvas.y, look.proportions
    fold_x = np.interp(-y, [p.nose_length + 0.1, 5.2, 6.6, 7.2], [1.65, 2.35, 3.1, 3.25])
    fold = np.exp(-(((x - fold_x) / 0.16) ** 2)) * smoothstep(-y, 3.5, 4.4) * (1 - smoothstep(-y, 6.0, 7.3))
    brow = sum(
        np.exp(-(((y - at - 0.12 * np.cos(x * 0.9)) / 0.11) ** 2)) * (1 - smoothstep(x, 1.2, 3.6)) for at in (4.5, 5.35)
    )
    fan = sum(
        np.exp(-(((y - 0.1 - slope * (x - 5.3)) / 0.055) ** 2))
        * smoothstep(x, 5.3, 5.6)
        * (1 - smoothstep(x, 5.8, 6.7))
        for slope in (0.45, -0.05, -0.5)
    )
    result: Floats = np.clip(0.7 * fold + 0.22 * brow + 0.25 * fan, 0, 1)
    return result


def _beard(canvas: Canvas, rng: np.random.Generator, look: Look) -> Floats:
    """A short, trimmed beard up to the sideburns, with shaved cheeks and all hairs pointing down."""
    x, y, across = canvas.x, canvas.y, canvas.across
    line = np.interp(
        across, [0.0, 1.2, 2.6, 3.6, 5.8, 7.6, 8.6, 9.2], [-4.55, -4.75, -5.2, -6.1, -5.7, -4.4, -2.2, 0.3]
    )
    ragged = 0.35 * (smooth_noise(rng, SIZE, 90) - 0.5)
    below = smoothstep(line - y + ragged, -0.15, 0.75) * (1 - smoothstep(across, 9.5, 10.6))
    chin = -look.proportions.chin_y
    above_neck = 1 - smoothstep(-y, chin + 0.3, chin + 1.5)
    p = look.proportions
    v = y - STOMION_Y
    mouth = np.hypot(x / (p.mouth_half_width * 1.0), v / np.where(v > 0, 0.66, 0.98))
    philtrum = 1 - 0.55 * np.exp(-((x / 0.28) ** 2)) * smoothstep(y, STOMION_Y, STOMION_Y + 1.0)
    under_lip = 1 - 0.4 * np.exp(-(((x - 1.35) / 0.6) ** 2) - ((v + 1.5) / 0.4) ** 2)
    area = below * above_neck * smoothstep(mouth, 0.84, 1.10) * philtrum * under_lip
    count = 13000
    column, row = rng.uniform(0, SIZE * 0.9, count), rng.uniform(SIZE * 0.42, SIZE, count)
    k = np.arange(7)
    streaks = canvas.dots_at(
        (column[:, None] + rng.normal(0, 0.7, count)[:, None] * k).ravel(),
        (row[:, None] + k * 1.6).ravel(),
        np.full(count * 7, 0.26),
        np.full(count * 7, 0.020),
    )
    # Single hairs near the mirror line would form a pattern.
    hairs = np.where(x > 1.0, 1.0, 0.25 + 0.75 * x) * (0.9 * (1 - np.exp(-streaks)) - 0.3)
    result: Floats = look.beard * area * np.clip(0.80 + hairs, 0, 1)
    return result


def _nose_lines(canvas: Canvas, look: Look) -> Floats:
    """Nostrils and the crease behind each ala."""
    x, y, p = canvas.x, canvas.y, look.proportions
    dx, dy = x - p.nose_width * 0.68, y + p.nose_length + 0.76
    turned = dx * 0.94 + dy * 0.34, dy * 0.94 - dx * 0.34
    nostril = 1 - smoothstep(np.hypot(turned[0] / 0.30, turned[1] / 0.12), 0.35, 1.35)
    wx, wy = x - p.nose_width * 0.98, y + p.nose_length + 0.24
    arc = np.exp(-(((np.hypot(wx, wy * 0.95) - 0.58) / 0.12) ** 2)) * smoothstep(wx, 0.0, 0.5)
    result: Floats = np.clip(0.85 * nostril + 0.16 * arc, 0, 1)
    return result


def _lip_lines(canvas: Canvas, rng: np.random.Generator) -> Floats:
    """The fine vertical lines of the lips, with darker corners and a darker line between the lips."""
    x, y = canvas.x, canvas.y - STOMION_Y
    mouth = np.exp(-((x / 2.2) ** 4) - (y / 0.8) ** 4)
    lines = smooth_noise(rng, SIZE, 150)[150]
    result: Floats = 0.07 * mouth * (lines[None, :] ** 2)
    return result
