"""Eyeballs with their iris textures; edge loops of lids and lips."""

import numpy as np

from generator.arrays import Floats, Ints, Pixels
from generator.cage import Eye
from generator.look import Look
from generator.piece import Piece, grid_quads
from generator.skin import Skin, triangles

POLAR = np.radians([0, 8, 15, 21, 27, 31, 33.5, 37, 45, 60, 88])
AROUND = 24
TEXTURE_DEGREES = 64.0


def eyeball(eye: Eye, look: Look) -> Piece:
    """The front of a ball, with the pupil at the centre of its texture."""
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
        normals=_cornea_normals(local, polar.reshape(-1), look.iris_degrees),
        occlusion=np.ones(len(local)),
        casts=False,
    )


def _cornea_normals(local: Floats, polar: Floats, iris_degrees: float) -> Floats:
    """Normals of the cornea, whose stronger curvature makes the highlight smaller and more central."""
    limbus = np.radians(iris_degrees)
    steeper = np.where(polar < limbus, polar * 1.35, polar + 0.35 * limbus * np.exp(-(polar - limbus) / 0.12))
    flat = local[:, :2] / np.maximum(np.linalg.norm(local[:, :2], axis=1, keepdims=True), 1e-9)
    return np.column_stack([flat * np.sin(steeper)[:, None], np.cos(steeper)])


def iris_texture(look: Look, size: int = 512) -> Pixels:
    """Sclera, limbal ring, fibres, pupil; uint8 (size, size, 4)."""
    rng = np.random.default_rng(look.seed)
    y, x = np.mgrid[0:size, 0:size] / (size - 1) * 2 - 1
    r = np.hypot(x, y) * TEXTURE_DEGREES / look.iris_degrees
    around = np.arctan2(y, x)
    fibres = _fibres(around, r, rng)
    iris, edge = np.array(look.iris, float), np.array(look.iris_edge, float)
    light = np.clip(iris * 1.45 + 30, 0, 255)
    t = np.clip((r - 0.36) / 0.64, 0, 1)[..., None]
    color = light * (1 - t) + iris * t
    color = color * (0.74 + 0.50 * fibres[..., None])
    # The collarette: a pale, ragged ring at a third of the radius.
    collar = np.exp(-(((r - 0.50 - 0.05 * fibres) / 0.07) ** 2))[..., None]
    color = color * (1 + 0.16 * collar)
    ring = _step(r, 0.66, 1.0)[..., None] ** 1.4
    color = color * (1 - ring) + edge * ring
    # The cornea refracts light from above onto the lower half of the iris; the upper half is in the lid's
    # shade.
    glow = np.clip(y * 1.3 + 0.30, 0, 1)[..., None] * (1 - ring) * _step(r, 0.35, 0.6)[..., None]
    color = color * (0.68 + 0.72 * glow)
    pupil = _step(r, 0.345, 0.415)[..., None]
    color = color * pupil + np.array([10, 7, 8]) * (1 - pupil)
    sclera = np.array([250, 247, 244]) * (1 - 0.05 * np.clip(r - 1.1, 0, 2)[..., None])
    sclera = sclera - np.array([0, 10, 10]) * np.clip((r - 1.3) / 0.8, 0, 1)[..., None]
    white = _step(r, 0.94, 1.07)[..., None]
    color = color * (1 - white) + sclera * white
    alpha = np.full((size, size, 1), 255.0)
    result: Pixels = np.clip(np.concatenate([color, alpha], axis=2), 0, 255).astype(np.uint8)
    return result


def _fibres(around: Floats, r: Floats, rng: np.random.Generator) -> Floats:
    total = np.zeros_like(r)
    for count in (29, 46, 71, 113):
        phase, wobble = rng.uniform(0, 6.28, 2)
        total += np.sin(count * around + phase + 1.4 * np.sin(r * 5 + wobble)) / 4
    return 0.5 + 0.5 * total


def _step(x: Floats, low: float, high: float) -> Floats:
    t = np.clip((x - low) / (high - low), 0, 1)
    eased: Floats = t * t * (3 - 2 * t)
    return eased


def edge_loop(skin: Skin, side: int, ring: int = 3) -> Ints:
    """The refined vertices along a ring of the eye, from the outer corner over the top."""
    return refined_loop(skin, skin.cage.eyes[side][ring])


def refined_loop(skin: Skin, ring: Ints) -> Ints:
    """The refined vertices along a closed ring of cage points: each cage point, then the quarter points after it."""
    loop = list(ring)
    out: list[int] = []
    for a, b in zip(loop, loop[1:] + loop[:1], strict=True):
        out.extend(_walk(skin, a, b))
    return np.array(out)


def _walk(skin: Skin, a: int, b: int) -> list[int]:
    """The refined path of the cage edge a-b: four edges whose points depend on a and b symmetrically."""
    steps = [int(a)]
    for share in (0.25, 0.5, 0.75):
        row = skin.matrix
        options = [n for n in skin.neighbours[steps[-1]] if n not in steps]
        score = [min(row[n, a] / (1 - share), row[n, b] / share) for n in options]
        steps.append(options[int(np.argmax(score))])
    return steps
