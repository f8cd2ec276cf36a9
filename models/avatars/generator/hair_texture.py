"""Hair textures, white for the colour `hair_light`: opaque strands above, translucent ones below."""

import numpy as np

from generator.arrays import Floats, Pixels
from generator.look import Look

WIDTH, HEIGHT = 512, 256
CURL_SIZE = 512


def _dark(look: Look) -> Floats:
    result: Floats = np.clip(np.array(look.hair, float) / np.maximum(np.array(look.hair_light), 1), 0, 1)
    return result


def _streaks(rng: np.random.Generator, width: int, height: int) -> Floats:
    """Fine and broad streaks that run down the texture with a slight drift, 0..1."""
    at = np.linspace(0, 1, width)
    rows = np.linspace(0, 1.999, height)
    i = rows.astype(int)
    total = np.zeros((height, width))
    for cells, weight in ((16, 0.26), (70, 0.32), (230, 0.42)):
        table = np.stack([np.interp(at * cells, np.arange(cells + 2), row) for row in rng.random((3, cells + 2))])
        total += weight * (table[i] * (1 - rows % 1)[:, None] + table[i + 1] * (rows % 1)[:, None])
    return total


def straight(look: Look) -> Pixels:
    """uint8 (HEIGHT, WIDTH, 4): strands, darker at the root. Bottom left: ragged tips; right: a thinning edge."""
    rng = np.random.default_rng(look.seed + 7)
    top = HEIGHT // 2
    v = np.linspace(0, 1, top)[:, None]
    light = np.clip((_streaks(rng, WIDTH, top) - 0.14) * 1.25, 0, 1) * (0.45 + 0.55 * np.clip(v * 2.2, 0, 1))
    below = np.clip((_streaks(rng, WIDTH, HEIGHT - top) - 0.14) * 1.25, 0, 1)
    color = _dark(look) + (1 - _dark(look)) * np.concatenate([light, below])[..., None]
    texture = np.full((HEIGHT, WIDTH, 4), 255, dtype=np.uint8)
    texture[..., :3] = np.clip(np.rint(color * 127) * 2, 0, 255)
    half = WIDTH // 2
    texture[top:, :half, 3] = np.rint(_tips(rng, half, HEIGHT - top) * 255)
    texture[top:, half:, 3] = np.rint(_edge(rng, half, HEIGHT - top) * 255)
    return texture


def _tips(rng: np.random.Generator, width: int, height: int) -> Floats:
    """Opaque at the top, then strands of different lengths, grouped into locks."""
    lock = np.interp(np.linspace(0, 1, width), np.linspace(0, 1, 15), rng.random(15))
    hair = np.interp(np.linspace(0, 1, width), np.linspace(0, 1, 62), rng.random(62))
    end = 0.50 + 0.30 * lock + 0.20 * hair
    v = np.linspace(0, 1, height)[:, None]
    result: Floats = np.clip((end[None] - v) / 0.16, 0, 1) * np.clip(v / 0.28, 0, 1)
    return result


def _edge(rng: np.random.Generator, width: int, height: int) -> Floats:
    """Opaque at the left; at the right single hairs that fade in and out."""
    u = np.linspace(0, 1, width)[None]
    hair = np.interp(np.linspace(0, 1, width), np.linspace(0, 1, 30), rng.random(30))[None]
    v = np.linspace(0, 1, height)[:, None]
    drift = 0.10 * np.sin(9 * v + 2.0) + 0.06 * np.sin(23 * v)
    fall = np.clip((0.30 + drift - (u - 0.55)) / 0.30, 0, 1)
    cover: Floats = np.where(u < 0.45, 1.0, np.clip((hair - 0.95 + 1.2 * fall) / 0.25, 0, 1))
    return cover * np.clip(v / 0.06, 0, 1) * np.clip((1 - u) / 0.04, 0, 1)


def coils(look: Look) -> Pixels:
    """uint8 (CURL_SIZE, CURL_SIZE, 4): ringlets, each an arc of light above its shadow."""
    rng = np.random.default_rng(look.seed + 9)
    light = np.zeros((CURL_SIZE, CURL_SIZE))
    for size, count in ((19.0, 330), (14.0, 800), (10.0, 1300)):
        for x, y in rng.random((count, 2)) * CURL_SIZE:
            _ringlet(light, x, y, size * rng.uniform(0.7, 1.2), rng)
    top = CURL_SIZE // 2
    light = np.clip(light, 0, 1)
    color = _dark(look) + (1 - _dark(look)) * (0.92 * light)[..., None]
    texture = np.full((CURL_SIZE, CURL_SIZE, 4), 255, dtype=np.uint8)
    texture[..., :3] = np.clip(np.rint(color * 63) * 4, 0, 255)
    ring = np.clip((light - 0.12) / 0.35, 0, 1)
    fade = np.clip((np.arange(CURL_SIZE - top) / (CURL_SIZE - top) - 0.02) / 0.12, 0, 1)[:, None]
    texture[top:, :, 3] = np.rint(np.clip(ring[top:] * fade, 0, 1) * 31) * 8
    return texture


def _ringlet(light: Floats, x: float, y: float, size: float, rng: np.random.Generator) -> None:
    """Paint one coil, an S-shaped band that is brightest along its back."""
    reach = int(size * 1.5)
    xs = np.arange(int(x) - reach, int(x) + reach + 1)
    ys = np.arange(int(y) - reach, int(y) + reach + 1)
    turn = rng.uniform(0, 2 * np.pi)
    dx, dy = np.meshgrid(xs - x, ys - y)
    a, b = (dx * np.cos(turn) + dy * np.sin(turn)) / size, (-dx * np.sin(turn) + dy * np.cos(turn)) / size
    band = b - 0.42 * np.sin(a * 3.3)
    inside = np.clip((1.15 - np.abs(a)) / 0.25, 0, 1) * np.clip((0.36 - np.abs(band)) / 0.12, 0, 1)
    glow = 0.15 + 0.85 * np.clip(1 - ((band + 0.06) / 0.26) ** 2, 0, 1) * (0.55 + 0.45 * np.cos(a * 3.3 + 0.6))
    at = np.ix_(ys % light.shape[0], xs % light.shape[1])
    light[at] = light[at] * (1 - inside) + glow * inside * rng.uniform(0.55, 1.0)


def texture(look: Look) -> Pixels:
    """The hair texture of a look."""
    return coils(look) if look.hair_style == "curls" else straight(look)
