"""Translucent pieces of the eyelids: lashes, the shadow on the eyeball."""

import numpy as np

from generator.arrays import Floats, Ints, Pixels, Vector
from generator.cage import Eye
from generator.eyes import edge_loop
from generator.look import Look
from generator.piece import Piece, grid_quads
from generator.skin import Skin, triangles

# The four fields of the texture: u from, u to, v from, v to.
SHADOW, UPPER, LOWER = (0.005, 0.245, 0.02, 0.98), (0.255, 0.995, 0.02, 0.48), (0.255, 0.995, 0.54, 0.98)
SHADOW_ROWS = 5
# Rows of lashes are wide and low, and so are their fields: mipmaps would blur lashes that are squeezed in height alone.
HEIGHT, WIDTH = 128, 512
UPPER_LASHES, LOWER_LASHES = 27, 25
# The texture holds the colours, because the shader derives the specular of hair from them: dark lashes have none.
WHITE, SHADE = np.array([255, 255, 255]), (52, 26, 26)
DUCT, TEAR = (206, 128, 120), (250, 236, 232)


def _field(field: Vector, u: Floats, v: Floats) -> Floats:
    u0, u1, v0, v1 = field
    return np.stack([u0 + (u1 - u0) * u.reshape(-1), v0 + (v1 - v0) * v.reshape(-1)], axis=1)


def _paths(loop: Ints, points: Floats) -> tuple[Floats, Floats]:
    """The front edges of the upper and the lower lid from the outer to the inner corner, (n, 3) each."""
    half = len(loop) // 2
    return points[loop[: half + 1]], points[np.concatenate([loop[half:], loop[:1]])][::-1]


def _followed(deltas: dict[str, Floats]) -> dict[str, Floats]:
    return {name: delta for name, delta in deltas.items() if name.startswith(("eye", "cheekSquint"))}


def shadow(skin: Skin, side: int, deltas: dict[str, Floats]) -> Piece:
    """A thin shell over the eyeball with the shadow of the upper lid."""
    ball, loop = skin.cage.eyeballs[side], edge_loop(skin, side)

    def shell(points: Floats) -> Floats:
        upper, lower = (path[::2] - ball.center for path in _paths(loop, points))
        t = np.linspace(-0.08, 1.06, SHADOW_ROWS)[:, None, None]
        flat = upper * (1 - t) + lower * t
        radius = ball.radius + 0.035
        z = np.sqrt(np.maximum(radius**2 - (flat[..., :2] ** 2).sum(-1), 0.04))
        result: Floats = (ball.center + np.concatenate([flat[..., :2], z[..., None]], axis=-1)).reshape(-1, 3)
        return result

    neutral = shell(skin.points)
    columns = len(neutral) // SHADOW_ROWS
    u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, SHADOW_ROWS))
    quads = grid_quads(SHADOW_ROWS, columns)
    return Piece(
        points=neutral,
        tris=triangles(quads if side > 0 else quads[:, ::-1]),
        colors=WHITE,
        uvs=_field(SHADOW, u, v),
        targets={name: shell(skin.points + delta) - neutral for name, delta in _followed(deltas).items()},
        occlusion=np.ones(len(neutral)),
        casts=False,
    )


def lashes(skin: Skin, side: int, look: Look, deltas: dict[str, Floats]) -> Piece:
    """Swept strips on the edges of the lids. The upper lashes are longest in the outer third."""
    ball, loop = skin.cage.eyeballs[side], edge_loop(skin, side)

    def strips(points: Floats) -> Floats:
        upper, lower = _paths(loop, points)
        return np.concatenate(
            [_fringe(upper, ball, look.lash_length, 0.10), _fringe(lower[::2], ball, -0.3 * look.lash_length, 0.0)]
        )

    neutral = strips(skin.points)
    upper_count = len(loop) // 2 + 1
    lower_count = (upper_count + 1) // 2
    uv = []
    for field, count in ((UPPER, upper_count), (LOWER, lower_count)):
        u, v = np.meshgrid(np.linspace(0, 1, count), np.array([0.0, 0.45, 1.0]))
        uv.append(_field(field, u, v))
    quads = np.concatenate([grid_quads(3, upper_count), grid_quads(3, lower_count) + 3 * upper_count])
    return Piece(
        points=neutral,
        tris=triangles(quads),
        colors=WHITE,
        uvs=np.concatenate(uv),
        targets={name: strips(skin.points + delta) - neutral for name, delta in _followed(deltas).items()},
        occlusion=np.ones(len(neutral)),
        casts=False,
    )


def _fringe(edge: Floats, ball: Eye, length: float, thickness: float) -> Floats:
    t = np.linspace(0, 1, len(edge))  # from the outer to the inner corner
    reach = length * np.clip(np.sin(np.pi * t), 0.16, 1) ** 0.5 * (1.40 - 0.85 * t)
    out = edge - ball.center
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    side = np.sign(ball.center[0])
    direction = out * 0.55 + np.array([0.34 * side, 0.0, 0.0]) * (1.35 - 1.6 * t)[:, None]
    # Upper lashes point up from an open lid and down from a shut one.
    lift = np.interp((edge[:, 1] - ball.center[1]) / ball.radius, [-0.42, 0.22], [-0.45, 1.0]) if length > 0 else 1.0
    direction[:, 1] += 0.62 * np.sign(length) * lift
    root = edge + out * 0.02
    root[:, 1] -= 0.02 * np.sign(length)
    # Lashes leave the lid forwards and then curl up; a straight line would run through the fold over the lid.
    mid = root + direction * (np.abs(reach) * 0.45)[:, None] + out * (0.16 * np.abs(reach))[:, None]
    mid[:, 1] -= 0.12 * np.sign(length) * np.abs(reach)
    tip = root + direction * np.abs(reach)[:, None]
    tip[:, 1] += 0.28 * reach * lift
    inner = root - out * thickness * 0.4
    return np.concatenate([inner, mid, tip])


def texture(look: Look) -> Pixels:
    """uint8 (HEIGHT, WIDTH, 4): the shadow and both rows of lashes."""
    out = np.empty((HEIGHT, WIDTH, 4), dtype=np.uint8)
    out[..., :3] = look.lash
    alpha = np.zeros((HEIGHT, WIDTH))
    low, left, rng = HEIGHT // 2, WIDTH // 4, np.random.default_rng(look.seed + 3)
    alpha[:, :left] = _shadow_alpha(HEIGHT, left)
    alpha[:low, left:] = _lash_alpha(rng, low, WIDTH - left, UPPER_LASHES, 0.16)
    alpha[low:, left:] = 0.6 * _lash_alpha(rng, low, WIDTH - left, LOWER_LASHES, 0.0)
    out[:, :left, :3] = SHADE
    _wet(out[:, :left], alpha[:, :left])
    out[..., 3] = np.clip(np.rint(alpha * 255), 0, 255)
    return out


def _wet(color: Pixels, alpha: Floats) -> None:
    """Paint the tear duct in the inner corner and the wet line along the lower lid. Changes both."""
    v, u = np.meshgrid(*(np.linspace(0, 1, size) for size in alpha.shape), indexing="ij")
    duct = np.clip(1.25 - np.hypot((u - 0.99) / 0.115, (v - 0.56) / 0.42), 0, 1)
    line = 0.55 * np.exp(-(((v - 0.955) / 0.022) ** 2)) * np.clip(np.sin(np.pi * np.clip(u, 0.04, 0.96)) * 1.5, 0, 1)
    for tint, cover in ((DUCT, np.clip(2.2 * duct, 0, 0.92)), (TEAR, line)):
        share = (cover / np.maximum(np.maximum(alpha, cover), 1e-6))[..., None]
        color[..., :3] = np.rint(color[..., :3] * (1 - share) + np.array(tint) * share)
        alpha[:] = np.maximum(alpha, cover)


def _shadow_alpha(height: int, width: int) -> Floats:
    """The shadow's alpha: strong under the upper lid, weak in the corners and above the lower lid."""
    v, u = np.meshgrid(np.linspace(0, 1, height), np.linspace(0, 1, width), indexing="ij")
    top = 0.78 * np.exp(-((v / 0.27) ** 2))
    low = 0.20 * np.exp(-(((1 - v) / 0.16) ** 2))
    corners = 0.45 * np.exp(-((u / 0.13) ** 2)) + 0.45 * np.exp(-(((1 - u) / 0.13) ** 2))
    result: Floats = 1 - (1 - top) * (1 - low) * (1 - corners)
    return result


def _lash_alpha(rng: np.random.Generator, height: int, width: int, count: int, liner: float) -> Floats:
    """The alpha of tapering hairs, some in clumps. liner: how far from the root they form one dark band."""
    v = np.linspace(0, 1, height)[:, None]
    u = np.linspace(0, 1, width)[None]
    alpha = np.clip((liner - v) / 0.10, 0, 1) if liner else np.zeros((height, width))
    alpha = np.broadcast_to(alpha, (height, width)).copy()
    for at in (np.arange(count) + 0.5) / count:
        root = at + rng.normal(0, 0.005)
        lean, long = rng.normal(0, 0.012) + 0.03 * (0.5 - at), rng.uniform(0.72, 1.0)
        along = v / long
        thick = (0.46 / count) * np.clip(1 - along, 0, 1) ** 0.7
        beside = np.abs(u - root - lean * v * v)
        alpha = np.maximum(alpha, np.clip((thick - beside) / 0.005 + 0.5, 0, 1) * (along < 1) * (0.95 - 0.25 * along))
    return alpha
