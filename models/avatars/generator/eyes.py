"""Eyeballs, the shadow that the lids throw on them, and lashes."""

import numpy as np

from generator.cage import Eye
from generator.look import Look
from generator.piece import Piece, grid_quads
from generator.skin import Skin, triangles

POLAR = np.radians([0, 6, 12, 18, 24, 28, 31, 37, 47, 61, 79, 98])
AROUND = 26
IRIS_DEGREES = 28.0
TEXTURE_DEGREES = 60.0


def eyeball(eye: Eye) -> Piece:
    """The front of a ball, mapped so that the texture's middle is the pupil."""
    angle = np.linspace(0, 2 * np.pi, AROUND, endpoint=False)
    polar, around = np.meshgrid(POLAR, angle, indexing="ij")
    local = np.stack([np.sin(polar) * np.cos(around), np.sin(polar) * np.sin(around), np.cos(polar)], axis=-1).reshape(
        -1, 3
    )
    reach = np.clip(np.degrees(polar) / TEXTURE_DEGREES, 0, 1).reshape(-1) * 0.5
    uvs = np.stack([0.5 + reach * np.cos(around.reshape(-1)), 0.5 - reach * np.sin(around.reshape(-1))], axis=1)
    tris = triangles(grid_quads(len(POLAR), AROUND, closed=True)[:, ::-1])
    tris = tris[(np.diff(np.sort(local[tris] @ np.array([1.0, 7.1, 31.7]), axis=1), axis=1) > 1e-9).all(axis=1)]
    return Piece(
        points=eye.center + local * eye.radius,
        tris=tris,
        colors=np.array([255, 255, 255]),
        uvs=uvs,
        normals=_cornea_normals(local, polar.reshape(-1)),
        occlusion=np.ones(len(local)),
        casts=False,
    )


def _cornea_normals(local: np.ndarray, polar: np.ndarray) -> np.ndarray:
    """Over the iris the cornea is rounder than the ball, which draws its highlight smaller and nearer to the middle."""
    limbus = np.radians(IRIS_DEGREES)
    steeper = np.where(polar < limbus, polar * 1.35, polar + 0.35 * limbus * np.exp(-(polar - limbus) / 0.12))
    flat = local[:, :2] / np.maximum(np.linalg.norm(local[:, :2], axis=1, keepdims=True), 1e-9)
    return np.column_stack([flat * np.sin(steeper)[:, None], np.cos(steeper)])


def iris_texture(look: Look, size: int = 512) -> np.ndarray:
    """Sclera, limbal ring, fibres, pupil; uint8 (size, size, 4)."""
    rng = np.random.default_rng(look.seed)
    y, x = np.mgrid[0:size, 0:size] / (size - 1) * 2 - 1
    r = np.hypot(x, y) * TEXTURE_DEGREES / IRIS_DEGREES
    around = np.arctan2(y, x)
    fibres = _fibres(around, r, rng)
    iris, edge = np.array(look.iris, float), np.array(look.iris_edge, float)
    light = np.clip(iris * 1.5 + 26, 0, 255)
    t = np.clip((r - 0.40) / 0.6, 0, 1)[..., None]
    color = light * (1 - t) + iris * t
    color = color * (0.80 + 0.42 * fibres[..., None])
    ring = _step(r, 0.74, 1.0)[..., None]
    color = color * (1 - ring) + edge * ring
    # The light that the cornea gathers falls on the side of the iris away from its source: below.
    glow = np.clip(y * 0.9 + 0.25, 0, 1)[..., None] * (1 - ring) * _step(r, 0.35, 0.6)[..., None]
    color = color * (0.78 + 0.55 * glow)
    pupil = _step(r, 0.36, 0.41)[..., None]
    color = color * pupil + np.array([12, 9, 10]) * (1 - pupil)
    sclera = np.array([243, 240, 238]) * (1 - 0.05 * np.clip(r - 1.2, 0, 2)[..., None])
    sclera = sclera - np.array([0, 9, 9]) * np.clip((r - 1.45) / 0.9, 0, 1)[..., None]
    white = _step(r, 0.965, 1.06)[..., None]
    color = color * (1 - white) + sclera * white
    alpha = np.full((size, size, 1), 255.0)
    return np.clip(np.concatenate([color, alpha], axis=2), 0, 255).astype(np.uint8)


def _fibres(around: np.ndarray, r: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    total = np.zeros_like(r)
    for count in (23, 37, 58, 91):
        phase, wobble = rng.uniform(0, 6.28, 2)
        total += np.sin(count * around + phase + 1.4 * np.sin(r * 5 + wobble)) / 4
    return 0.5 + 0.5 * total


def _step(x: np.ndarray, low: float, high: float) -> np.ndarray:
    t = np.clip((x - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _lid_paths(skin: Skin, side: int, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The refined front edge of the upper and lower lid, outer to inner corner, (n, 3) each."""
    loop = edge_loop(skin, side)
    half = len(loop) // 2
    return points[loop[: half + 1]], points[np.concatenate([loop[half:], loop[:1]])][::-1]


def edge_loop(skin: Skin, side: int, ring: int = 3) -> np.ndarray:
    """Refined vertices along a ring of the eye, from the outer corner over the top."""
    return refined_loop(skin, skin.cage.eyes[side][ring])


def refined_loop(skin: Skin, ring: np.ndarray) -> np.ndarray:
    """Refined vertices along a closed ring of cage points: each original, then its quarter points."""
    loop = list(ring)
    neighbours = _neighbours(skin)
    out: list[int] = []
    for a, b in zip(loop, loop[1:] + loop[:1], strict=True):
        out.extend(_walk(neighbours, skin, a, b))
    return np.array(out)


def _neighbours(skin: Skin) -> dict[int, set[int]]:
    table: dict[int, set[int]] = {}
    for quad in skin.quads:
        for a, b in zip(quad, np.roll(quad, -1), strict=True):
            table.setdefault(int(a), set()).add(int(b))
            table.setdefault(int(b), set()).add(int(a))
    return table


def _walk(neighbours: dict[int, set[int]], skin: Skin, a: int, b: int) -> list[int]:
    """The four refined edges that came from the cage edge a-b: the path whose points depend on a and b alike."""
    steps = [int(a)]
    for share in (0.25, 0.5, 0.75):
        row = skin.matrix
        options = [n for n in neighbours[steps[-1]] if n not in steps]
        score = [min(row[n, a] / (1 - share), row[n, b] / share) for n in options]
        steps.append(options[int(np.argmax(score))])
    return steps


def shadow(skin: Skin, side: int, deltas: dict[str, np.ndarray]) -> Piece:
    """A thin shell over the ball that the upper lid darkens: it follows the lids through every shape."""
    rows, ball = 7, skin.cage.eyeballs[side]

    def shell(points: np.ndarray) -> np.ndarray:
        upper, lower = _lid_paths(skin, side, points)
        upper, lower = upper[::2] - ball.center, lower[::2] - ball.center
        t = np.linspace(-0.08, 1.06, rows)[:, None, None]
        flat = upper * (1 - t) + lower * t
        radius = ball.radius + 0.035
        z = np.sqrt(np.maximum(radius**2 - (flat[..., :2] ** 2).sum(-1), 0.04))
        return (ball.center + np.concatenate([flat[..., :2], z[..., None]], axis=-1)).reshape(-1, 3)

    neutral = shell(skin.points)
    columns = len(neutral) // rows
    u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    quads = grid_quads(rows, columns)
    return Piece(
        points=neutral,
        tris=triangles(quads if side > 0 else quads[:, ::-1]),
        colors=np.array([44, 24, 24]),
        uvs=np.stack([u.reshape(-1), v.reshape(-1)], axis=1),
        targets={
            name: shell(skin.points + d) - neutral
            for name, d in deltas.items()
            if name.startswith(("eye", "cheekSquint"))
        },
        occlusion=np.ones(len(neutral)),
        casts=False,
    )


def shadow_texture(size: int = 64) -> np.ndarray:
    """How dark the shell is: most under the upper lid, a little in the corners and over the lower lid."""
    v, u = np.mgrid[0:size, 0:size] / (size - 1)
    top = 0.80 * np.exp(-((v / 0.25) ** 2))
    low = 0.22 * np.exp(-(((1 - v) / 0.16) ** 2))
    corners = 0.45 * np.exp(-((u / 0.13) ** 2)) + 0.45 * np.exp(-(((1 - u) / 0.13) ** 2))
    picture = np.full((size, size, 4), 255, dtype=np.uint8)
    picture[..., 3] = np.clip((1 - (1 - top) * (1 - low) * (1 - corners)) * 255, 0, 255)
    return picture


def lashes(skin: Skin, side: int, look: Look, deltas: dict[str, np.ndarray]) -> Piece:
    """A dark, swept strip on the upper lid's edge, longest at the outer third; thin on the lower one."""
    ball = skin.cage.eyeballs[side]

    def strip(points: np.ndarray) -> np.ndarray:
        upper, lower = _lid_paths(skin, side, points)
        return np.concatenate([_fringe(upper, ball, look.lash_length, 0.15), _fringe(lower, ball, -0.06, 0.03)])

    neutral = strip(skin.points)
    columns = len(neutral) // 6
    quads = np.concatenate([grid_quads(3, columns), grid_quads(3, columns) + 3 * columns])
    return Piece(
        points=neutral,
        tris=triangles(quads),
        colors=np.array(look.lash),
        targets={
            name: strip(skin.points + d) - neutral
            for name, d in deltas.items()
            if name.startswith(("eye", "cheekSquint"))
        },
        occlusion=np.ones(len(neutral)),
        casts=False,
    )


def _fringe(edge: np.ndarray, ball: Eye, length: float, thickness: float) -> np.ndarray:
    t = np.linspace(0, 1, len(edge))  # outer to inner corner
    reach = length * np.clip(np.sin(np.pi * t), 0.03, 1) ** 0.75 * (1.3 - 1.05 * t)
    out = edge - ball.center
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    side = np.sign(ball.center[0])
    direction = out * 0.85 + np.array([0.25 * side, 0.0, 0.0]) * (1.3 - t)[:, None]
    direction[:, 1] += 0.22 * np.sign(length)
    root = edge + out * 0.02
    root[:, 1] -= 0.02 * np.sign(length)
    mid = root + direction * (np.abs(reach) * 0.45)[:, None]
    mid[:, 1] -= 0.05 * np.sign(length) * np.abs(reach)
    tip = root + direction * np.abs(reach)[:, None]
    tip[:, 1] += 0.20 * reach
    inner = root - out * thickness * 0.4
    return np.concatenate([inner, mid, tip])
