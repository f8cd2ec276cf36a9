"""A creature's fur, with upright ears."""

from dataclasses import replace

import numpy as np

from generator import strands
from generator.arrays import Floats
from generator.hair_swept import cap
from generator.look import Look
from generator.piece import Piece, grid_quads
from generator.sculpt import Sculpt
from generator.skin import triangles

LIFT = np.array(
    [(0.0, 0.16, 0.26, 0.26, 0.24, 0.2), (0.0, 0.14, 0.24, 0.26, 0.24, 0.2), (0.0, 0.06, 0.12, 0.16, 0.16, 0.12)]
)
# The ears: foot, direction, length and half width in cm; how deep they are hollowed.
FOOT, TOWARDS, LENGTH, HALF_WIDTH, HOLLOW = np.array([5.2, 7.9, -0.4]), np.array([0.60, 0.80, 0.05]), 6.4, 2.9, 1.25
EAR_ROWS, EAR_AROUND = 12, 20
INNER = (236, 176, 160)
STEPS = 8
# Tufts: direction of the root from the skull's centre, of the tip, length and half width in cm.
CROWN = (
    ((-1.1, 9.4, 3.2), (-0.55, 0.7, 0.75), 2.2, 0.55),
    ((1.1, 9.4, 3.2), (0.6, 0.7, 0.7), 2.1, 0.55),
    ((-0.5, 9.2, 4.6), (-0.2, 0.5, 1.0), 2.4, 0.6),
    ((0.6, 9.2, 4.4), (0.3, 0.55, 0.95), 2.6, 0.6),
    ((0.0, 9.8, 2.4), (0.05, 0.95, 0.4), 2.6, 0.6),
    ((0.1, 9.4, 5.2), (0.05, 0.35, 1.0), 2.2, 0.6),
)


def solid(look: Look, sculpt: Sculpt) -> list[Piece]:
    """All pieces of the fur."""
    sheet, _ = cap(look, sculpt, "fur", LIFT, locks=17.0)
    crown = [_tuft(look, sculpt, *tuft) for tuft in CROWN]
    return [replace(sheet, least_open=0.85), *crown, *(_ear(look, side) for side in (1, -1))]


def _tuft(
    look: Look, sculpt: Sculpt, root: tuple[float, float, float], towards: tuple[float, float, float],
    length: float, width: float,
) -> Piece:  # fmt: skip
    start = strands.on_skull(sculpt, np.array(root), -0.25)
    out = start - strands.SKULL
    out /= np.linalg.norm(out)
    t = np.linspace(0, 1, STEPS)[:, None]
    path = start + length * (t * np.array(towards) + 0.16 * np.sin(np.pi * t) * out)
    facing = np.broadcast_to(out + np.array([0.0, 0.0, 0.6]), path.shape)
    facing = facing / np.linalg.norm(facing, axis=1, keepdims=True)
    breadth = width * np.interp(t[:, 0], [0, 0.3, 0.7, 1], [0.85, 1.0, 0.6, 0.04])
    tone = strands.toned(look, np.linspace(0.95, 1.2, STEPS))
    return strands.ribbon(path, facing, breadth, tone, 0.2 + 0.1 * length, 0.25)


def _ear(look: Look, side: int) -> Piece:
    """A leaf-shaped, hollowed ear with a soft rim."""
    up = TOWARDS / np.linalg.norm(TOWARDS)
    front = np.array([0.30, 0.0, 0.95]) - up * (np.array([0.30, 0.0, 0.95]) @ up)
    front /= np.linalg.norm(front)
    across = np.cross(up, front)
    t, a = np.meshgrid(
        np.linspace(0, 1, EAR_ROWS), np.linspace(0, 2 * np.pi, EAR_AROUND, endpoint=False), indexing="ij"
    )
    half = HALF_WIDTH * np.interp(t, [0, 0.15, 0.4, 0.7, 0.88, 0.97, 1], [0.80, 0.95, 1.0, 0.78, 0.46, 0.2, 0.02])
    thick = 0.42 * np.interp(t, [0, 0.6, 1], [1.0, 0.8, 0.3])
    depth = thick * np.cos(a) - HOLLOW * np.cos(a) ** 2 * (half / HALF_WIDTH)
    points = (
        FOOT + (t * LENGTH)[..., None] * up + (half * np.sin(a))[..., None] * across + depth[..., None] * front
        - (0.9 * t**2)[..., None] * np.array([0.0, 0.0, 1.0])
    )  # fmt: skip
    flesh = np.clip((np.cos(a) - 0.40) / 0.25, 0, 1) * np.clip((0.90 - t) / 0.15, 0, 1)
    colors = strands.toned(look, 0.92 + 0.06 * np.cos(a)) * (1 - flesh[..., None])
    colors = colors + np.array(INNER) * (1.12 * (0.80 + 0.20 * t) * flesh)[..., None]
    flat: Floats = (points * np.array([side, 1, 1])).reshape(-1, 3)
    quads = grid_quads(EAR_ROWS, EAR_AROUND, closed=True)
    return Piece(
        points=flat,
        tris=triangles(quads if side < 0 else quads[:, ::-1]),
        colors=np.clip(colors.reshape(-1, 3), 0, 255),
        uvs=np.stack(
            [(0.1 + 0.8 * np.abs(a / np.pi - 1)).reshape(-1), strands.solid_v(0.5 + 0.45 * t).reshape(-1)], axis=1
        ),
        least_open=0.55,
    )
