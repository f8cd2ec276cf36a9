"""The inside of the mouth: cavity, gums, teeth, tongue."""

import numpy as np

from generator.arrays import Floats
from generator.cage import STOMION_Y
from generator.eyes import refined_loop
from generator.piece import Piece, grid_quads
from generator.shapes import jaw_rotation
from generator.skin import Skin, triangles

TEETH, STEPS = 12, 3
JAW_SHIFTS = {"jawForward": (0.0, 0.0, 0.8), "jawLeft": (0.85, 0.0, 0.0), "jawRight": (-0.85, 0.0, 0.0)}


def jaw_targets(points: Floats, weight: Floats | float = 1.0) -> dict[str, Floats]:
    """Targets that move a piece with the jaw."""
    w = np.broadcast_to(np.asarray(weight, float), len(points))[:, None]
    targets = {"jawOpen": jaw_rotation(points) * w}
    targets.update({name: np.broadcast_to(np.array(shift), points.shape) * w for name, shift in JAW_SHIFTS.items()})
    return targets


def cavity(skin: Skin, deltas: dict[str, Floats]) -> Piece:
    """A bag behind the lips, sealed to their innermost loop so that there is no gap."""
    loop = refined_loop(skin, skin.cage.mouth[-1])[::2]
    opening = skin.points[loop]
    back = np.array([0.0, STOMION_Y + 0.1, 2.2])
    angle = np.arctan2(opening[:, 1] - STOMION_Y - 0.1, opening[:, 0] * 0.35)
    room = np.stack([2.35 * np.cos(angle), STOMION_Y + 1.7 * np.sin(angle), np.full(len(loop), 5.2)], axis=1)
    deep = np.stack([1.9 * np.cos(angle), STOMION_Y + 1.5 * np.sin(angle), np.full(len(loop), 3.0)], axis=1)
    first = opening + np.array([0, 0, -0.35]) + np.stack([0 * angle, 0.35 * np.sin(angle), 0 * angle], axis=1)
    points = np.concatenate([opening, first, room, deep, back[None]])
    count = len(loop)
    quads = grid_quads(4, count, closed=True)
    fan = np.stack(
        [np.full(count, 4 * count), 3 * count + np.arange(count), 3 * count + (np.arange(count) + 1) % count], axis=1
    )
    tris = np.concatenate([triangles(quads), fan])
    low = np.concatenate([np.tile(np.clip(0.5 - 0.5 * np.sin(angle) * 1.4, 0, 1), 4), [0.4]])
    targets = jaw_targets(points, low)
    for name, delta in deltas.items():
        moved = delta[loop]
        if np.abs(moved).max() > 1e-4:
            target = targets.setdefault(name, np.zeros_like(points)).copy()
            target[:count], target[count : 2 * count] = moved, 0.6 * moved + 0.4 * target[count : 2 * count]
            targets[name] = target
    # Lips, inner lips, cheeks, throat: red flesh that darkens with depth, never black.
    shade = np.concatenate([np.repeat([1.0, 0.95, 0.80, 0.56], count), [0.36]])[:, None]
    inward = np.array([0.0, STOMION_Y, 9.0]) - points
    inward /= np.linalg.norm(inward, axis=1, keepdims=True)
    return Piece(
        points=points,
        tris=tris,
        colors=np.array([150, 54, 56]) * shade,
        targets=targets,
        normals=inward,
        occlusion=np.concatenate([np.repeat([0.85, 0.75, 0.50, 0.32], count), [0.22]]),
    )


def _arch(u: Floats, half_width: float, front_z: float, depth: float) -> tuple[Floats, Floats, Floats]:
    """The dental arch for u in -1..1: x, z and the outward direction in that plane."""
    angle = u * 1.25
    x, z = half_width * np.sin(angle) / np.sin(1.25), front_z - depth * (1 - np.cos(angle)) / (1 - np.cos(1.25))
    out = np.stack([np.sin(angle), np.zeros_like(u), np.cos(angle)], axis=1)
    return x, z, out


def teeth(upper: bool) -> Piece:
    """A row of teeth with its gum: the enamel bulges at each tooth and the edge is notched between them."""
    columns = TEETH * STEPS + 1
    u = np.linspace(-1, 1, columns)
    x, z, out = _arch(u, 2.3 if upper else 2.05, 7.95 if upper else 7.68, 3.9)
    phase = np.linspace(0, TEETH, columns) % 1
    bulge = np.sin(np.pi * phase) ** 0.4
    height = (
        (1.0 if upper else 0.86)
        * (1 - 0.16 * np.abs(u) ** 1.5)
        * (1 - 0.05 * (np.abs(np.linspace(0, TEETH, columns) - TEETH / 2 - np.sign(u) * 1.5) < 0.5))
    )
    sign = 1.0 if upper else -1.0
    edge_y = STOMION_Y + (-0.32 if upper else -0.30)
    rows = (
        (1.5, -0.35, 0),
        (1.02, 0.02, 0),
        (0.9, 0.10, 0),
        (0.5, 0.13, 1),
        (0.08, 0.06, 1),
        (0.0, -0.14, 1),
        (0.6, -0.34, 1),
    )
    points, colors = [], []
    for share, outward, enamel in rows:
        notch = (1 - bulge) * 0.05 * (share < 0.2)
        y = edge_y + sign * (share * height + notch)
        p = np.stack([x, y, z], axis=1) + out * (outward + enamel * 0.07 * bulge - 0.05)[:, None]
        points.append(p)
        # The molars go back into the cheeks' shade.
        back = 1 - (0.62 if upper else 0.80) * np.abs(u) ** 1.7
        base = np.array([240, 233, 218]) if enamel else np.array([204, 112, 108])
        gap = (0.86 + 0.14 * np.clip(bulge * 1.6, 0, 1)) if enamel else np.ones(columns)
        colors.append(base * (back * gap * (1.0 if share < 0.95 else 0.9))[:, None])
    cloud = np.concatenate(points)
    quads = grid_quads(len(rows), columns)
    return Piece(
        points=cloud,
        tris=triangles(quads if not upper else quads[:, ::-1]),
        colors=np.concatenate(colors),
        targets={} if upper else jaw_targets(cloud),
        occlusion=np.tile((0.90 if upper else 0.62) * (1 - 0.65 * np.abs(u) ** 1.6), len(rows)),
        casts=False,
    )


def tongue() -> Piece:
    """A slab with a groove. tongueOut slides it over the lower lip and lowers its tip."""
    rows, columns = 9, 11
    t, u = np.meshgrid(np.linspace(0, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
    width = np.interp(t, [0, 0.4, 0.65, 0.8, 0.9, 1], [1.2, 1.32, 1.30, 1.22, 1.05, 0.62])
    x = u * width
    dome = 0.30 * (1 - u**2) * (1 - 0.6 * t**4) - 0.20 * np.exp(-((u / 0.20) ** 2)) * (1 - 0.75 * t)
    y = STOMION_Y - 0.78 + dome - 0.22 * t + 0.30 * np.sin(np.pi * np.clip(t * 0.8, 0, 1))
    y = y - 0.42 * np.abs(u) ** 4 * (1 - t**3) - 0.16 * (t > 0.99)
    z = 4.0 + 3.45 * t - 0.75 * u**2 * t**3
    points = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    flat_t = t.reshape(-1)
    out = np.zeros_like(points)
    # The tip is round, so its sides move less.
    slide = np.clip(flat_t * (1 - 0.09 * u.reshape(-1) ** 2), 0, 1) ** 1.2
    out[:, 2] = 3.1 * slide
    out[:, 1] = 0.75 * _ease(slide, 0.0, 0.5) - 0.95 * _ease(slide, 0.72, 1.05)
    # The body of the tongue drops less than the jaw, so that it is visible when the mouth opens slightly.
    targets = jaw_targets(points, 0.72)
    targets["tongueOut"] = out
    tone = 0.55 + 0.45 * flat_t
    groove = 1 - 0.26 * np.exp(-((u.reshape(-1) / 0.20) ** 2)) * (1 - 0.6 * flat_t)
    rim = 1 - 0.22 * np.abs(u.reshape(-1)) ** 3
    colors = np.array([198, 98, 100]) * (tone * groove * rim)[:, None]
    return Piece(
        points=points,
        tris=triangles(grid_quads(rows, columns)[:, ::-1]),
        colors=colors,
        targets=targets,
        occlusion=(0.30 + 0.55 * flat_t) * (1 - 0.3 * np.abs(u.reshape(-1)) ** 2),
        casts=False,
    )


def _ease(x: Floats, low: float, high: float) -> Floats:
    t = np.clip((x - low) / (high - low), 0, 1)
    eased: Floats = t * t * (3 - 2 * t)
    return eased


def inside(skin: Skin, deltas: dict[str, Floats]) -> list[Piece]:
    """All pieces of the mouth part."""
    return [cavity(skin, deltas), teeth(True), teeth(False), tongue()]
