"""The vertex colours of the skin, by region."""

from collections.abc import Sequence

import numpy as np

from generator.arrays import Floats, Ints, Vector
from generator.look import Look
from generator.skin import Skin
from generator.unwrap import smoothstep


def _mix(colors: Floats, to: Vector | Floats, weight: Floats) -> Floats:
    w = weight[:, None]
    result: Floats = colors * (1 - w) + np.array(to, float) * w
    return result


def skin_colors(skin: Skin, look: Look) -> Floats:
    """(V, 3), sRGB 0..255."""
    cage = skin.cage
    base = np.array(look.skin, float)
    colors = _warmth(np.tile(base, (len(skin.points), 1)), skin, look)
    if look.mask:
        colors = _masked(colors, skin, look)
    lips = _ring_weight(skin, [cage.mouth[r] for r in (3, 4, 5)])
    colors = _mix(colors, look.lips, 0.90 * smoothstep(lips, 0.02, 0.62))
    wet = _ring_weight(skin, [cage.mouth[r] for r in (4, 5)])
    colors = _mix(colors, np.array(look.lips) * np.array([0.80, 0.66, 0.66]), smoothstep(wet, 0.36, 0.80))
    inner = _ring_weight(skin, [cage.mouth[5]])
    colors = _mix(colors, np.array(look.lips) * np.array([0.60, 0.44, 0.44]), smoothstep(inner, 0.3, 0.9))
    for side in (1, -1):
        colors = _lids(colors, skin, side, look)
    return np.clip(colors, 0, 255)


def _warmth(colors: Floats, skin: Skin, look: Look) -> Floats:
    """The three colour zones of portrait painting (pale forehead, ruddy middle, cool jaw) with shaded eye sockets."""
    x, y, z = np.abs(skin.points[:, 0]), skin.points[:, 1], skin.points[:, 2]
    front = smoothstep(z, 2.0, 5.0)
    p, base, blush = look.proportions, np.array(look.skin, float), np.array(look.blush, float)

    def blob(cx: float, cy: float, rx: float, ry: float) -> Floats:
        result: Floats = np.exp(-(((x - cx) / rx) ** 2) - ((y - cy) / ry) ** 2) * front
        return result

    cheeks = look.blush_amount * blob(4.2, -3.4, 1.8, 1.4) + 0.12 * blob(3.4, -2.6, 2.6, 1.6)
    nose = 0.30 * blob(0, -p.nose_length, 1.15, 0.85)
    colors = _mix(colors, blush, cheeks + nose + 0.14 * blob(0, p.chin_y + 0.4, 1.5, 0.9))
    colors = _mix(colors, base * np.array([1.03, 1.035, 1.02]), 0.8 * blob(0, 4.6, 3.6, 1.8))
    colors = _mix(colors, base * np.array([0.93, 0.86, 0.86]), 0.40 * blob(3.1, -1.85, 1.5, 0.5))
    colors = _mix(colors, blush * 0.94, 0.30 * blob(3.5, 1.45, 1.9, 0.6))
    neck = smoothstep(-y, -p.chin_y + 0.6, -p.chin_y + 3.0)
    return _mix(colors, base * np.array([0.95, 0.90, 0.88]), 0.6 * neck)


def _masked(colors: Floats, skin: Skin, look: Look) -> Floats:
    """The pale face of a furry creature, with spots for brows and the dark tip of its nose."""
    x, y, z = np.abs(skin.points[:, 0]), skin.points[:, 1], skin.points[:, 2]
    p, front = look.proportions, smoothstep(skin.points[:, 2], 1.0, 3.5)

    def spot(cx: float | Floats, cy: float, rx: float, ry: float) -> Floats:
        result: Floats = 1.25 - np.hypot((x - cx) / rx, (y - cy) / ry)
        return result

    pale = np.max(
        [spot(0, -6.6, 3.6, 3.2), spot(4.9, -4.6, 3.0, 2.7), spot(p.eye_x - 0.7 + 0.25 * (y - 3.9), 3.9, 1.3, 0.85)],
        axis=0,
    )
    colors = _mix(colors, look.mask or look.skin, smoothstep(pale, 0.0, 0.32) * front)
    tip = spot(0, 0.1 - p.nose_length, 1.35 * p.nose_tip_radius, 1.0 * p.nose_tip_radius)
    return _mix(colors, look.nose or look.skin, smoothstep(tip, 0.1, 0.34) * smoothstep(z, 7.5, 8.3))


def _ring_weight(skin: Skin, rings: Sequence[Ints] | Ints) -> Floats:
    member = np.zeros(len(skin.cage.points))
    member[np.concatenate(rings)] = 1.0
    return skin.spread(member)


def _lids(colors: Floats, skin: Skin, side: int, look: Look) -> Floats:
    rings = skin.cage.eyes[side]
    base = np.array(look.skin, float)
    colors = _mix(
        colors, base * np.array([0.93, 0.80, 0.78]), 0.5 * smoothstep(_ring_weight(skin, rings[2:4]), 0.2, 0.9)
    )
    # The fold over the lid.
    crease = _ring_weight(skin, [rings[1][1:6]])
    colors = _mix(colors, base * np.array([0.74, 0.56, 0.54]), 0.36 * smoothstep(crease, 0.30, 0.85))
    # The waterline: the inner edge of the lids is moist and pink.
    edge = _ring_weight(skin, [rings[4], rings[5]])
    colors = _mix(colors, base * np.array([0.95, 0.72, 0.70]), smoothstep(edge, 0.25, 0.8))
    upper = _ring_weight(skin, [rings[3][0:7], rings[4][0:7]])
    colors = _mix(colors, look.lash, 0.85 * smoothstep(upper, 0.55, 0.9))
    lower = _ring_weight(skin, [rings[3][7:], rings[3][:1]])
    return _mix(colors, np.array(look.lash) * 0.3 + base * 0.55, 0.30 * smoothstep(lower, 0.4, 0.9))
